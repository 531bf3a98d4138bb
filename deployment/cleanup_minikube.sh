#!/usr/bin/env bash
# Take the platform off the cluster that kubectl speaks to.
#
#   deployment/cleanup_minikube.sh [--data | --cluster]
#
#   (nothing)  remove the processes; events, views and keys stay in their volumes and secrets
#   --data     remove those too: everything that was ever sent is gone
#   --cluster  delete Minikube itself
set -euo pipefail
cd "$(dirname "$0")/.."

scope=processes
while (($#)); do
  case $1 in
    --data) scope=data ;;
    --cluster) scope=cluster ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "cleanup_minikube: options must be of --data, --cluster; got '$1'" >&2; exit 2 ;;
  esac
  shift
done

if [[ $scope == cluster ]]; then
  minikube delete
  exit
fi

strimzi=$(kubectl api-resources --api-group=kafka.strimzi.io -o name)
remove() { kubectl delete --ignore-not-found --timeout=180s "$@"; }
remove -n producer job --all
remove -n spark cronjob,job,statefulset,service,pod --all
remove -n serving deployment,service,hpa,pdb --all
remove -n oozie job,statefulset,service --all
remove -n minio job,deployment,service --all
# Strimzi's operator takes its Kafka down by itself once its resource is gone; the claims of the volumes stay.
[[ -z $strimzi ]] || remove -n kafka kafka,kafkanodepool --all
remove -n kafka job,statefulset,service --all

if [[ $scope == data ]]; then
  [[ -z $strimzi ]] || remove -n kafka kafkatopic --all
  remove namespace producer serving spark oozie minio kafka
  remove persistentvolume -l app.kubernetes.io/part-of=learning-analytics
  remove storageclass kafka-storage
fi
