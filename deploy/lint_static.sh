#!/usr/bin/env bash
# Lint JavaScript and CSS with Biome, which npm brings. Part of `make lint`; nothing that serves needs it.
set -euo pipefail
cd "$(dirname "$0")/.."
version=2.6.8
folder=.venv/biome
biome=$folder/node_modules/.bin/biome

if [ ! -x "$biome" ] || [ "$(cat "$folder/version" 2>/dev/null)" != "$version" ]; then
  if ! command -v npm >/dev/null; then
    echo "JavaScript and CSS were not linted: npm is not installed (Debian: apt-get install npm)." >&2
    exit 0
  fi
  if ! npm install --prefix "$folder" --no-audit --no-fund --silent --fetch-retries 1 --fetch-timeout 20000 "@biomejs/biome@$version" >&2; then
    echo "JavaScript and CSS were not linted: npm could not download Biome $version." >&2
    exit 0
  fi
  echo "$version" >"$folder/version"
fi
exec "$biome" lint --error-on-warnings static
