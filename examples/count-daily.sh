#!/bin/sh
#
# Counts into a directory for each day (UTC). For cron and systemd timers.
#
#   count-daily.sh ROOT [OPTION...]       OPTION: options of aws-config-resource-count
#
# ROOT/latest is a link to the newest directory with results. Directories that are older than KEEP_DAYS (default 400)
# are removed after a run with results. Prints nothing if no count is missing, or only accepted ones (--accept-missing);
# otherwise the errors. Exit code: that of the program; 3 if counts are missing.
set -eu

root=${1:?the directory for the results is missing}
shift
day=$(date -u +%Y-%m-%d)

status=0
output=$(aws-config-resource-count --quiet --strict=missing --coverage \
  --output-dir "$root/$day" --report "$root/$day/report.json" "$@" 2>&1) || status=$?

if [ "$status" -ne 0 ]; then
  printf '%s\n' "$output" >&2
fi
case $status in
  0 | 3)
    ln -sfn "$day" "$root/latest"
    find "$root" -mindepth 1 -maxdepth 1 -type d -name '20??-??-??' -mtime "+${KEEP_DAYS:-400}" -exec rm -rf {} +
    ;;
esac
exit "$status"
