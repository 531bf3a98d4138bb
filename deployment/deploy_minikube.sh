#!/usr/bin/env bash
# Bring the platform up on Minikube, from nothing to an answer. Safe to repeat.
#
#   deployment/deploy_minikube.sh [small|local|minikube] [--no-start] [--events N]
#
#   small     Kafka as one plain node (the default)
#   local     the same with images that were built here, Kafka's and MinIO's too
#   minikube  Strimzi's operator and three Kafka nodes
#   --no-start  use the cluster that kubectl speaks to, whatever it is
#   --events N  send N generated events at the end (default 5000, 0 for none)
set -euo pipefail
cd "$(dirname "$0")/.."

overlay=small start=yes events=5000
while (($#)); do
  case $1 in
    small | local | minikube) overlay=$1 ;;
    --no-start) start=no ;;
    --events) events=${2:?--events needs a number}; shift ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "deploy_minikube: options must be of small, local, minikube, --no-start, --events N; got '$1'" >&2; exit 2 ;;
  esac
  shift
done
[[ $events =~ ^[0-9]+$ ]] || { echo "deploy_minikube: --events must be a whole number; got '$events'" >&2; exit 2; }

need() { command -v "$1" > /dev/null || { echo "deploy_minikube: '$1' must be on the PATH; $2" >&2; exit 1; }; }
say() { printf '\n== %s\n' "$*"; }
need kubectl 'see https://kubernetes.io/docs/tasks/tools'

if [[ $start == yes ]]; then
  need minikube 'see https://minikube.sigs.k8s.io/docs/start'
  need docker 'it builds the images'
  if [[ $overlay == minikube ]]; then cpus=4 memory=13g; else cpus=2 memory=7g; fi
  say "Minikube with $cpus cores and $memory"
  minikube status > /dev/null 2>&1 || minikube start --cpus="$cpus" --memory="$memory" --disk-size=40g
  minikube addons enable metrics-server

  say "images"
  version=$(sed -n 's/^PLATFORM_VERSION=//p' config/.env)
  images=("learning-analytics/platform:$version" "learning-analytics/ingestion:$version")
  docker build -q -f deployment/images/Dockerfile --target platform -t "${images[0]}" .
  docker build -q -f ingestion_layer/Dockerfile.ingestion --build-arg "PLATFORM_IMAGE=${images[0]}" -t "${images[1]}" .
  if [[ $overlay == local ]]; then
    images+=("learning-analytics/kafka:$version" "learning-analytics/minio:$version")
    docker build -q -f deployment/images/kafka/Dockerfile -t "${images[2]}" .
    docker build -q -t "${images[3]}" minio
  fi
  minikube image load "${images[@]}"
fi

say "keys"
deployment/kubernetes/secrets.sh

if [[ $overlay == minikube ]]; then
  need curl "it fetches the manifests of Strimzi's operator"
  strimzi=$(sed -n 's/^STRIMZI_VERSION=//p' config/.env)
  releases=https://github.com/strimzi/strimzi-kafka-operator/releases/download
  say "Strimzi's operator $strimzi"
  kubectl apply -f kafka/namespace.yaml
  curl -fsSL "${STRIMZI_INSTALL:-$releases/$strimzi/strimzi-cluster-operator-$strimzi.yaml}" \
    | sed 's/: myproject$/: kafka/' | kubectl apply -n kafka --server-side -f -
  kubectl -n kafka rollout status deployment/strimzi-cluster-operator --timeout=300s
  [[ $start == no ]] || minikube ssh -- sudo mkdir -p /data/kafka-0 /data/kafka-1 /data/kafka-2
fi

say "the platform: kubectl apply -k deployment/kubernetes/overlays/$overlay"
kubectl apply -k "deployment/kubernetes/overlays/$overlay"

say "waiting for every pod"
if [[ $overlay == minikube ]]; then
  kubectl -n kafka wait kafka/kafka-cluster --for=condition=Ready --timeout=600s
else
  kubectl -n kafka rollout status statefulset/kafka --timeout=300s
fi
kubectl -n minio rollout status deployment/minio --timeout=300s
kubectl -n spark rollout status statefulset/ingestion --timeout=300s
kubectl -n spark rollout status statefulset/speed --timeout=300s
kubectl -n serving rollout status deployment/serving --timeout=300s

if ((events)); then
  say "$events generated events"
  kubectl -n producer delete job producer --ignore-not-found
  kubectl kustomize deployment/kubernetes/producer | sed "s/\"5000\"/\"$events\"/" | kubectl apply -f -
  kubectl -n producer wait job/producer --for=condition=Complete --timeout=600s
fi

cat << 'TEXT'

The platform is up. Its API, with documentation at http://127.0.0.1:8000/docs:
  kubectl -n serving port-forward service/serving 8000:8000
It answers who sends `Authorization: Bearer KEY`; the operator's key is in the secret api-keys:
  kubectl -n serving get secret api-keys -o jsonpath='{.data.OPERATOR_KEY}' | base64 -d
The daily batch run, now:
  kubectl -n spark create job --from=cronjob/batch batch-now
TEXT
