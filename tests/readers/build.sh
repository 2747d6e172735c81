#!/bin/sh
# Make an environment for each older DuckDB that the read copy is opened with, into a cache outside
# the checkout. The versions, with hashes, are in tests/readers/duckdb-*.lock.
# usage: tests/readers/build.sh PYTHON
# The environments are then $HOMEIOT_READERS/duckdb-*.
set -eu
python=$1
locks=$(dirname "$0")
cache=${HOMEIOT_READERS:-${XDG_CACHE_HOME:-$HOME/.cache}/homeiot-readers}
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

for lock in "$locks"/duckdb-*.lock; do
  folder=$cache/$(basename "$lock" .lock)
  if cmp -s "$lock" "$folder/lock" && "$folder/bin/python" -c 'import duckdb' 2>/dev/null; then
    continue
  fi
  echo "making $folder"
  "$python" -m venv --clear "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes --only-binary :all: --requirement "$lock"
  cp "$lock" "$folder/lock" # last: it tells that the environment is whole
done
echo "readers: $cache"
