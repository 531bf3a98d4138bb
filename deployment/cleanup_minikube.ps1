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

function Remove([string[]] $What) {
    & kubectl 'delete' '--ignore-not-found' '--timeout=180s' @What
    if ($LASTEXITCODE -ne 0) { throw "cleanup_minikube: kubectl delete $($What -join ' ') must succeed; got exit status $LASTEXITCODE" }
}

$strimzi = & kubectl 'api-resources' '--api-group=kafka.strimzi.io' '-o' 'name'
Remove @('-n', 'producer', 'job', '--all')
Remove @('-n', 'spark', 'cronjob,job,statefulset,service,pod', '--all')
Remove @('-n', 'serving', 'deployment,service,hpa,pdb', '--all')
Remove @('-n', 'oozie', 'job,statefulset,service', '--all')
Remove @('-n', 'minio', 'job,deployment,service', '--all')
# Strimzi's operator takes its Kafka down by itself once its resource is gone; the claims of the volumes stay.
if ($strimzi) { Remove @('-n', 'kafka', 'kafka,kafkanodepool', '--all') }
Remove @('-n', 'kafka', 'job,statefulset,service', '--all')

if ($Data) {
    if ($strimzi) { Remove @('-n', 'kafka', 'kafkatopic', '--all') }
    Remove @('namespace', 'producer', 'serving', 'spark', 'oozie', 'minio', 'kafka')
    Remove @('persistentvolume', '-l', 'app.kubernetes.io/part-of=learning-analytics')
    Remove @('storageclass', 'kafka-storage')
}
