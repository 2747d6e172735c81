#!/bin/sh
# A run started by cron, whose environment is next to empty. Everything goes to data/cron.log;
# printed, so that cron mails it, are the end of a run that failed, and the warnings of one that
# did not.
# usage: nightly.sh compose|checkout [COMMAND...]
# COMMAND: python -m homeiot_batch.run_archive, if none is given
set -u
PATH=${PATH:-}:/usr/local/bin:/usr/bin:/bin:/snap/bin
cd "$(dirname "$0")/../.." || exit
if ! [ -f Snakefile ]; then
    echo "$0: $PWD is no checkout; call the script by its own path, not by a link" >&2
    exit 1
fi

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
most=1000000 # bytes: a longer log becomes cron.log.1, and the one that had this name goes
mkdir -p data
[ ! -f "$log" ] || [ "$(wc -c <"$log")" -le $most ] || mv -f "$log" "$log.1"
# held open: another run may rename the log while this one writes
exec 3>>"$log" || exit
exec 4<"$log" || exit
echo "$(date +%FT%T%z) $*" >&3 || exit
before=$(wc -l <"$log")
"$@" >&3 2>&1 </dev/null 3>&- 4<&-
code=$?
said() { tail -n "+$((before + 1))" <&4; }
if [ $code -ne 0 ]; then
    { echo "exit code $code; the end of $log:" && said | tail -n 20; } >&2
else
    said | grep '^warning: ' >&2
fi
exit $code
