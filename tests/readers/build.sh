#!/bin/sh
# Make an environment for each older DuckDB that the read copy is opened with, and one with pandas
# and polars, into a cache outside the checkout. The versions, with hashes, are in the *.lock files
# of this folder.
# usage: tests/readers/build.sh PYTHON
# The environments are then in $HOMEIOT_READERS, each named as its lock.
set -eu
python=$1
locks=$(dirname "$0")
cache=${HOMEIOT_READERS:-${XDG_CACHE_HOME:-$HOME/.cache}/homeiot-readers}
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

for lock in "$locks"/*.lock; do
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
