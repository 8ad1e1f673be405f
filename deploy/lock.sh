#!/usr/bin/env bash
# Resolve requirements/*.txt again from requirements/*.in: `make lock`, or `make lock UPGRADE=1` for the newest
# versions. Otherwise versions that still fit are kept.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet uv
cd requirements
for name in serve train test; do
  ../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-annotate \
    --no-header ${UPGRADE:+--upgrade} "$name.in" --output-file "$name.txt"
  sed -i "1i # Made by \`make lock\` from $name.in." "$name.txt"
done
