#!/usr/bin/env bash
# Set up this machine:  deploy/setup.sh serve | test
#   serve   what `make run` needs: Python, .venv with requirements/serve.txt, WeasyPrint's libraries
#   test    the same plus training, test tools, linters, Chromium and Poppler
# Safe to run again: takes only a moment if everything is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=${VENV:-.venv}
kind=${1:-serve}

main() {
  case $kind in
    serve) requirements=(requirements/serve.txt) ;;
    test) requirements=(requirements.txt requirements/test.txt) ;;
    *) fail "Unknown set-up '$kind': use serve or test." ;;
  esac
  # A stamp file records the finished set-up: nothing to do until the requirements or this script change.
  if [ -f "$VENV/.ready-$kind" ] && [ "$(cat "$VENV/.ready-$kind")" = "$(expected_stamp)" ] && "$VENV/bin/python" -c '' 2>/dev/null; then
    exit 0
  fi
  make_environment
  install_system_packages
  install_requirements
  expected_stamp >"$VENV/.ready-$kind"
}

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

fail() {
  printf '\033[1;31mSet-up stopped:\033[0m %s\n' "$*" >&2
  exit 1
}

# The content of the stamp: a hash of this script and all requirement files.
expected_stamp() { cat deploy/setup.sh requirements.txt requirements/serve.txt requirements/train.txt requirements/test.txt | sha256sum; }

# --- Debian and Ubuntu packages ------------------------------------------------------------------------------

# Install packages if no password is needed; otherwise print the command to run, and fail.
apt_install() {
  local as_root=()
  local line="apt-get update && apt-get install -y --no-install-recommends $*"
  if ! command -v apt-get >/dev/null; then
    fail "these packages are missing (Debian names): $*. Install them with this system's package manager, then try again."
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      fail "system packages are missing, and installing them needs root. Run this command, then try again:

    sudo sh -c '$line'
"
    fi
    as_root=(sudo -n)
  fi
  say "Installing system packages: $*"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

has_library() { "$VENV/bin/python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }

has_font() { [ -e "/usr/share/fonts/$1" ]; }

install_system_packages() {
  local missing=()
  has_library libpango-1.0.so.0 || missing+=(libpango-1.0-0)
  has_library libpangoft2-1.0.so.0 || missing+=(libpangoft2-1.0-0)
  has_library libharfbuzz-subset.so.0 || missing+=(libharfbuzz-subset0)
  # Fallback fonts for WeasyPrint: names may use characters that Inter does not have.
  if [ "$(uname)" = Linux ]; then
    has_font truetype/dejavu/DejaVuSans.ttf || missing+=(fonts-dejavu-core)
    has_font truetype/noto/NotoSansThai-Regular.ttf || missing+=(fonts-noto-core)
    has_font opentype/noto/NotoSansCJK-Regular.ttc || missing+=(fonts-noto-cjk)
    has_font truetype/noto/NotoColorEmoji.ttf || missing+=(fonts-noto-color-emoji)
  fi
  if [ "$kind" = test ]; then
    command -v chromium >/dev/null || missing+=(chromium)
    command -v pdftoppm >/dev/null || missing+=(poppler-utils)
  fi
  [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# --- Python --------------------------------------------------------------------------------------------------

# Succeed if the command is a Python between 3.11 and 3.MINOR.
python_fits() { "$1" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $2))" 2>/dev/null; }

# Print the Python to use. TensorFlow, which only training and tests need, has no build for Python 3.14.
find_python() {
  local candidate newest=13
  if [ -n "${PYTHON:-}" ]; then
    python_fits "$PYTHON" 99 || fail "PYTHON=$PYTHON is not a Python 3.11 or newer."
    echo "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11; do
    if python_fits "$candidate" "$newest"; then
      echo "$candidate"
      return
    fi
  done
  if [ "$kind" = serve ] && python_fits python3 99; then
    echo python3
    return
  fi
  return 1
}

make_environment() {
  local python
  if [ -d "$VENV" ] && ! python_fits "$VENV/bin/python" 99; then
    say "$VENV is broken or uses an old Python; creating it again"
    rm -rf "$VENV"
  fi
  [ ! -d "$VENV" ] || return 0
  if ! python=$(find_python); then
    apt_install python3 python3-venv
    python=$(find_python) || fail "DermaScan needs Python 3.11, 3.12 or 3.13, and this system's package for it is $(python3 -V 2>&1 || echo none). Install one of them, then run: PYTHON=/path/to/python3.12 make run"
  fi
  # Debian's python3 package does not include ensurepip.
  "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv \
    "$("$python" -c 'import sys; print("python{}.{}-venv".format(*sys.version_info))')"
  say "Creating $VENV with $("$python" -V)"
  "$python" -m venv "$VENV" || fail "'$python -m venv $VENV' failed; its message is above."
}

install_requirements() {
  local arguments=() file
  for file in "${requirements[@]}"; do arguments+=(-r "$file"); done
  say "Installing ${requirements[*]} (the first time takes a few minutes)"
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-input "${arguments[@]}" ||
    fail "pip could not install ${requirements[*]}; its message is above. Is the package registry reachable?"
}

main
