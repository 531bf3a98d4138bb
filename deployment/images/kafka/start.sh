#!/usr/bin/env bash
# Start a broker with the properties that the environment names, as apache/kafka does: KAFKA_LOG_DIRS is log.dirs,
# __ is _ and ___ is -. CLUSTER_ID names the cluster, KAFKA_HEAP_OPTS the heap.
set -euo pipefail

properties=/etc/kafka/server.properties
cluster=${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}
: "${KAFKA_LOG_DIRS:=/var/lib/kafka/data}"
export KAFKA_LOG_DIRS

# The name of a property that a variable gives; empty for those that are not properties.
property() {
  case $1 in
    KAFKA_HEAP_OPTS | KAFKA_OPTS | KAFKA_LOG4J_*) return ;;
  esac
  local name=${1#KAFKA_}
  name=${name//___/-}
  name=${name//__/:}
  name=${name//_/.}
  name=${name//:/_}
  echo "${name,,}"
}

while read -r variable; do
  name=$(property "$variable")
  [[ -z $name ]] || echo "$name=${!variable}"
done < <(compgen -v KAFKA_) > "$properties"

run() {
  exec java -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.properties -Djava.net.preferIPv4Stack=true \
    -cp '/opt/kafka/libs/*' "$@"
}

if [[ ! -e $KAFKA_LOG_DIRS/meta.properties ]]; then
  (run -XX:TieredStopAtLevel=1 -XX:+UseSerialGC kafka.tools.StorageTool format -t "$cluster" -c "$properties")
fi
read -ra options <<< "${KAFKA_HEAP_OPTS:--Xms256m -Xmx512m} ${KAFKA_OPTS:-}"
run "${options[@]}" kafka.Kafka "$properties"
