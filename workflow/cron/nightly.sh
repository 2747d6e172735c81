#!/bin/sh
# A run started by cron, whose environment is next to empty. Everything goes to data/cron.log; printed, so that cron mails it, are the end
# of a run that failed, and the warnings of one that did not.
# usage: nightly.sh compose|checkout [COMMAND...]     COMMAND: python -m homeiot_batch.run_archive, if none is given
set -u
PATH=${PATH:-}:/usr/local/bin:/usr/bin:/bin:/snap/bin
cd "$(dirname "$0")/../.." || exit
[ -f Snakefile ] || { echo "$0: $PWD is no checkout; call the script by its own path, not by a link" >&2; exit 1; }

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
said() { tail -n "+$((before + 1))" "$log"; }
if [ $code -ne 0 ]; then
    { echo "exit code $code; the end of $log:" && said | tail -n 20; } >&2
else
    said | grep '^warning: ' >&2
fi
exit $code
