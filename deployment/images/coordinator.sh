#!/usr/bin/env bash
# deploy_oozie.sh for a server in another container: `coordinator.sh ensure` starts the daily coordinator unless one is
# there. Its first run is the next at 03:00 UTC.
set -euo pipefail

server=$(sed -E 's,^https?://([^:/]+).*,\1,' <<< "${OOZIE_URL:?must name the server}")
START=${START:-$(date -u -d "$(date -u -d '21 hours' +%F)" +%Y-%m-%dT03:00Z)}
export START
exec batch_layer/deploy_oozie.sh "${1:-ensure}" "-DnameNode=hdfs://$server:8020" "-DresourceManager=$server:8032"
