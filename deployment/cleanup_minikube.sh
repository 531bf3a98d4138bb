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
kafka=$([[ -z $strimzi ]] || kubectl -n kafka get kafka kafka-cluster --ignore-not-found -o name)
remove() { kubectl delete --ignore-not-found --timeout=180s "$@"; }
remove -n producer job --all
remove -n collector deployment,statefulset,service,hpa,pdb --all
remove -n spark cronjob,job,statefulset,service,pod --all
remove -n serving deployment,service,hpa,pdb --all
remove -n projection deployment --all
remove -n oozie job,statefulset,service --all
remove -n minio job,deployment,service --all
if [[ -n $strimzi && $scope == data ]]; then
  # Topics first, while Kafka is there. Where it was taken down before, nobody else takes their finalizers off.
  remove -n kafka kafkatopic --all --wait=false
  for topic in $(kubectl -n kafka get kafkatopic -o name); do
    kubectl -n kafka patch "$topic" --type=merge -p '{"metadata":{"finalizers":null}}' || true # it may be gone by now
  done
  remove -n kafka kafka,kafkanodepool --all
elif [[ -n $kafka ]]; then
  # The id of the cluster that the volumes were formatted for stands in this resource, so it stays, and makes no pods.
  kubectl -n kafka annotate --overwrite kafka kafka-cluster strimzi.io/pause-reconciliation=true
  kubectl -n kafka wait kafka/kafka-cluster --for=condition=ReconciliationPaused --timeout=180s
  remove -n kafka strimzipodset,deployment -l strimzi.io/cluster=kafka-cluster
fi
remove -n kafka job,statefulset,service --all

if [[ $scope == data ]]; then
  remove namespace producer collector serving projection spark oozie minio kafka
  paths='jsonpath={.items[*].spec.local.path}'
  read -ra folders <<< "$(kubectl get persistentvolume -l learning-analytics/volumes=minikube -o "$paths")"
  ((${#folders[@]} == 0)) || minikube ssh -- sudo rm -rf "${folders[@]}"
  remove persistentvolume -l app.kubernetes.io/part-of=learning-analytics
  remove storageclass kafka-storage
fi
