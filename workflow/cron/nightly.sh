#!/bin/sh
# A run started by cron, whose environment is next to empty. Everything goes to data/cron.log; only the end of a failed run is printed,
# so that cron mails it.
# usage: nightly.sh compose|checkout [COMMAND...]     COMMAND: python -m homeiot_batch.run_archive, if none is given
set -u
PATH=${PATH:-}:/usr/local/bin:/usr/bin:/bin:/snap/bin
cd "$(dirname "$0")/../.." || exit

where=${1:-}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- python -m homeiot_batch.run_archive
case $where in
    compose) set -- docker compose run --rm --no-TTY batch "$@" ;;
    checkout)
        program=$1
        shift
        set -- "$PWD/.venv/bin/$program" "$@"
        ;;
    *)
        echo "usage: nightly.sh compose|checkout [COMMAND...]" >&2
        exit 2
        ;;
esac

log=$PWD/data/cron.log
mkdir -p data
echo "$(date +%FT%T%z) $*" >>"$log" || exit
before=$(wc -l <"$log")
"$@" >>"$log" 2>&1 </dev/null
code=$?
[ $code -eq 0 ] || { echo "exit code $code; the end of $log:" && tail -n "+$((before + 1))" "$log" | tail -n 20; } >&2
exit $code
