#!/bin/sh
# Make an environment from the lock. Needs only a Python of 3.12 or later. uv is installed in .tools
# if there is none that works.
# usage: scripts/setup.sh [LOCK [FOLDER]]
#   LOCK: requirements-dev.lock (default), requirements.lock or requirements-slurm.lock
#   FOLDER: where the environment is made, .venv if not given. What is imported there is compiled
#           only then: it is for a few tests
set -eu
cd "$(dirname "$0")/.."
lock=${1:-requirements-dev.lock}
venv=${2:-.venv}
compile=--compile-bytecode
[ $# -lt 2 ] || compile=--no-compile-bytecode
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV
export UV_SYSTEM_CERTS=true UV_PYTHON_DOWNLOADS=never

is_new_enough() { "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; }

python=
for candidate in python3.12 python3.13 python3 python python3.14 \
  "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3; do
  if is_new_enough "$candidate"; then python=$candidate && break; fi
done
if [ -z "$python" ]; then
  echo "error: no Python of 3.12 or later found; install one and run again" >&2
  exit 1
fi

uv=uv
if ! uv --version >/dev/null 2>&1; then
  uv=.tools/bin/uv
  [ -x $uv ] || {
    "$python" -m venv .tools
    .tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
  }
fi

if ! [ -x "$venv/bin/python" ] || ! is_new_enough "$venv/bin/python"; then
  executable=$("$python" -c 'import sys; print(sys.executable)')
  $uv venv --quiet --clear --python "$executable" "$venv"
fi
$uv pip sync --quiet --python "$venv/bin/python" --require-hashes $compile "$lock"
$uv pip install --quiet --python "$venv/bin/python" --no-deps --editable .
