#!/usr/bin/env bash
# The keys of MinIO as the secret `minio-credentials` in each namespace that needs them, the key by which erased people
# are known as `erasure-key` in those that read or write what is kept, and the keys of the query API as `api-keys` in
# serving's. Keys that are there stay; else they are MINIO_ACCESS_KEY, MINIO_SECRET_KEY, ERASURE_KEY, OPERATOR_KEY and
# PSEUDONYM_KEY of the environment, or new random ones. No key is ever printed.
set -euo pipefail

cd "$(dirname "$0")/../.."
namespaces=(minio spark serving collector projection oozie)
secret=minio-credentials
# The namespaces of the erasure key. Where one has it, all are given that one: without it no layer goes on.
readers=(spark serving collector oozie)

random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

if kubectl -n minio get secret "$secret" > /dev/null 2>&1; then
  field() { kubectl -n minio get secret "$secret" -o "jsonpath={.data.$1}" | base64 -d; }
  access=$(field MINIO_ACCESS_KEY)
  hidden=$(field MINIO_SECRET_KEY)
else
  access=${MINIO_ACCESS_KEY:-platform-$(random 4)}
  hidden=${MINIO_SECRET_KEY:-$(random 24)}
fi

kubectl apply -f minio/namespace.yaml -f spark/namespace.yaml -f deployment/kubernetes/serving/namespace.yaml \
  -f deployment/kubernetes/collector/namespace.yaml -f deployment/kubernetes/projection/namespace.yaml \
  -f deployment/kubernetes/oozie/namespace.yaml
for namespace in "${namespaces[@]}"; do
  printf 'MINIO_ACCESS_KEY=%s\nMINIO_SECRET_KEY=%s\n' "$access" "$hidden" \
    | kubectl -n "$namespace" create secret generic "$secret" --from-env-file=/dev/stdin --dry-run=client -o yaml \
    | kubectl -n "$namespace" apply -f -
done

erasure=
for namespace in "${readers[@]}"; do
  found=$(kubectl -n "$namespace" get secret erasure-key --ignore-not-found -o 'jsonpath={.data.ERASURE_KEY}')
  erasure=${erasure:-$(base64 -d <<< "$found")}
done
erasure=${erasure:-${ERASURE_KEY:-$(random 32)}}
for namespace in "${readers[@]}"; do
  printf 'ERASURE_KEY=%s\n' "$erasure" \
    | kubectl -n "$namespace" create secret generic erasure-key --from-env-file=/dev/stdin --dry-run=client -o yaml \
    | kubectl -n "$namespace" apply -f -
done

if ! kubectl -n serving get secret api-keys > /dev/null 2>&1; then
  printf 'OPERATOR_KEY=%s\nPSEUDONYM_KEY=%s\n' "${OPERATOR_KEY:-la_operator_$(random 32)}" "${PSEUDONYM_KEY:-$(random 32)}" \
    | kubectl -n serving create secret generic api-keys --from-env-file=/dev/stdin --dry-run=client -o yaml \
    | kubectl -n serving apply -f -
fi
