<#
.SYNOPSIS
Take the platform off the cluster that kubectl speaks to.
.DESCRIPTION
deployment/cleanup_minikube.ps1 [-Data | -Cluster]

  (nothing)  remove the processes; events, views and keys stay in their volumes and secrets
  -Data      remove those too: everything that was ever sent is gone
  -Cluster   delete Minikube itself
#>
param([switch] $Data, [switch] $Cluster)
$ErrorActionPreference = 'Stop'

if ($Cluster) {
    & minikube delete
    exit $LASTEXITCODE
}

function Run([string[]] $Arguments) {
    & kubectl @Arguments
    if ($LASTEXITCODE -ne 0) { throw "cleanup_minikube: kubectl $($Arguments -join ' ') must succeed; got exit status $LASTEXITCODE" }
}

function Remove([string[]] $What) { Run (@('delete', '--ignore-not-found', '--timeout=180s') + $What) }

$strimzi = & kubectl 'api-resources' '--api-group=kafka.strimzi.io' '-o' 'name'
Remove @('-n', 'producer', 'job', '--all')
Remove @('-n', 'collector', 'deployment,statefulset,service,hpa,pdb', '--all')
Remove @('-n', 'spark', 'cronjob,job,statefulset,service,pod', '--all')
Remove @('-n', 'serving', 'deployment,service,hpa,pdb', '--all')
Remove @('-n', 'projection', 'deployment', '--all')
Remove @('-n', 'oozie', 'job,statefulset,service', '--all')
Remove @('-n', 'minio', 'job,deployment,service', '--all')
if ($strimzi -and $Data) {
    # Topics first, while Kafka is there. Where it was taken down before, nobody else takes their finalizers off.
    Remove @('-n', 'kafka', 'kafkatopic', '--all', '--wait=false')
    $topics = & kubectl '-n' 'kafka' 'get' 'kafkatopic' '-o' 'jsonpath={.items[*].metadata.name}'
    foreach ($topic in ($topics -split ' ' | Where-Object { $_ })) {
        # As YAML, since PowerShell may drop JSON's quotes; a topic may be gone by now.
        & kubectl '-n' 'kafka' 'patch' 'kafkatopic' $topic '--type=merge' '-p' 'metadata: {finalizers: null}'
    }
    Remove @('-n', 'kafka', 'kafka,kafkanodepool', '--all')
} elseif ($strimzi -and (& kubectl '-n' 'kafka' 'get' 'kafka' 'kafka-cluster' '--ignore-not-found' '-o' 'name')) {
    # The id of the cluster that the volumes were formatted for stands in this resource, so it stays, and makes no pods.
    Run @('-n', 'kafka', 'annotate', '--overwrite', 'kafka', 'kafka-cluster', 'strimzi.io/pause-reconciliation=true')
    Run @('-n', 'kafka', 'wait', 'kafka/kafka-cluster', '--for=condition=ReconciliationPaused', '--timeout=180s')
    Remove @('-n', 'kafka', 'strimzipodset,deployment', '-l', 'strimzi.io/cluster=kafka-cluster')
}
Remove @('-n', 'kafka', 'job,statefulset,service', '--all')

if ($Data) {
    Remove @('namespace', 'producer', 'collector', 'serving', 'projection', 'spark', 'oozie', 'minio', 'kafka')
    $folders = & kubectl 'get' 'persistentvolume' '-l' 'learning-analytics/volumes=minikube' '-o' 'jsonpath={.items[*].spec.local.path}'
    if ($folders) {
        & minikube 'ssh' '--' 'sudo' 'rm' '-rf' @($folders -split ' ')
        if ($LASTEXITCODE -ne 0) { throw "cleanup_minikube: minikube ssh must remove $folders; got exit status $LASTEXITCODE" }
    }
    Remove @('persistentvolume', '-l', 'app.kubernetes.io/part-of=learning-analytics')
    Remove @('storageclass', 'kafka-storage')
}
