#!/usr/bin/env bash
# The daily coordinator of a server in another container: `coordinator.sh ensure` submits it unless one is there; any
# other command goes to deploy_oozie.sh. Its first run is the next at 03:00 UTC.
set -euo pipefail

command=${1:-ensure}
server=$(sed -E 's,^https?://([^:/]+).*,\1,' <<< "${OOZIE_URL:?must name the server}")
START=${START:-$(date -u -d "$(date -u -d '21 hours' +%F)" +%Y-%m-%dT03:00Z)}
export START

if [[ $command == ensure ]]; then
  if oozie jobs -jobtype coordinator -filter 'status=RUNNING;status=PREP' | grep -q learning-analytics-daily; then
    echo "the daily coordinator is there"
    exit
  fi
  command=start
fi
exec batch_layer/deploy_oozie.sh "$command" "-DnameNode=hdfs://$server:8020" "-DresourceManager=$server:8032"
