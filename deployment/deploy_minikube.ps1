<#
.SYNOPSIS
Bring the platform up on Minikube, from nothing to an answer. Safe to repeat.
.DESCRIPTION
deployment/deploy_minikube.ps1 [-Overlay small|local|minikube] [-NoStart] [-Events N]

  small     Kafka as one plain node (the default)
  local     the same with images that were built here, Kafka's and MinIO's too
  minikube  Strimzi's operator and three Kafka nodes
  -NoStart  use the cluster that kubectl speaks to, whatever it is
  -Events   send N generated events at the end (default 5000, 0 for none)
#>
param(
    [ValidateSet('small', 'local', 'minikube')][string] $Overlay = 'small',
    [switch] $NoStart,
    [ValidateRange(0, 100000000)][int] $Events = 5000
)
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..')

function Need([string] $Program, [string] $Hint) {
    if (-not (Get-Command $Program -ErrorAction SilentlyContinue)) {
        throw "deploy_minikube: '$Program' must be on the PATH; $Hint"
    }
}

# Run a program; a status other than 0 ends the script.
function Run([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "deploy_minikube: $Program $($Arguments -join ' ') must succeed; got exit status $LASTEXITCODE" }
}

# Apply what another program printed.
function Apply([string[]] $Manifests) {
    $Manifests | & kubectl 'apply' '-f' '-'
    if ($LASTEXITCODE -ne 0) { throw "deploy_minikube: kubectl apply must succeed; got exit status $LASTEXITCODE" }
}

# A version of config/.env.
function Pinned([string] $Name) { return (Select-String -Path config/.env -Pattern ('^' + $Name + '=(.*)$')).Matches[0].Groups[1].Value }

function Say([string] $Text) { Write-Host "`n== $Text" }

function RandomHex([int] $Bytes) {
    $data = New-Object byte[] $Bytes
    [System.Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($data)
    return ($data | ForEach-Object { $_.ToString('x2') }) -join ''
}

# The keys of MinIO, of erasures and of the query API, as deployment/kubernetes/secrets.sh makes them.
function SetKeys {
    $found = & kubectl '-n' 'minio' 'get' 'secret' 'minio-credentials' '--ignore-not-found' '-o' 'json' 2>$null | Out-String | ConvertFrom-Json
    if ($found) {
        $access = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($found.data.MINIO_ACCESS_KEY))
        $hidden = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($found.data.MINIO_SECRET_KEY))
    } else {
        $access = if ($env:MINIO_ACCESS_KEY) { $env:MINIO_ACCESS_KEY } else { "platform-$(RandomHex 4)" }
        $hidden = if ($env:MINIO_SECRET_KEY) { $env:MINIO_SECRET_KEY } else { RandomHex 24 }
    }
    $file = New-TemporaryFile
    try {
        Set-Content -Path $file -Value @("MINIO_ACCESS_KEY=$access", "MINIO_SECRET_KEY=$hidden")
        Run kubectl @('apply', '-f', 'minio/namespace.yaml', '-f', 'spark/namespace.yaml', '-f', 'deployment/kubernetes/serving/namespace.yaml', '-f', 'deployment/kubernetes/oozie/namespace.yaml', '-f', 'deployment/kubernetes/collector/namespace.yaml', '-f', 'deployment/kubernetes/projection/namespace.yaml')
        foreach ($namespace in 'minio', 'spark', 'serving', 'collector', 'projection', 'oozie') {
            Apply (& kubectl '-n' $namespace 'create' 'secret' 'generic' 'minio-credentials' "--from-env-file=$file" '--dry-run=client' '-o' 'yaml')
        }
        $erasure = ''
        foreach ($namespace in 'spark', 'serving', 'collector', 'oozie') {
            $found = & kubectl '-n' $namespace 'get' 'secret' 'erasure-key' '--ignore-not-found' '-o' 'jsonpath={.data.ERASURE_KEY}'
            if ($LASTEXITCODE -ne 0) { throw "deploy_minikube: the secrets of $namespace must be readable; kubectl failed" }
            if ($found -and -not $erasure) { $erasure = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($found)) }
        }
        if (-not $erasure) { $erasure = if ($env:ERASURE_KEY) { $env:ERASURE_KEY } else { RandomHex 32 } }
        Set-Content -Path $file -Value "ERASURE_KEY=$erasure"
        foreach ($namespace in 'spark', 'serving', 'collector', 'oozie') {
            Apply (& kubectl '-n' $namespace 'create' 'secret' 'generic' 'erasure-key' "--from-env-file=$file" '--dry-run=client' '-o' 'yaml')
        }
        if (-not (& kubectl '-n' 'serving' 'get' 'secret' 'api-keys' '--ignore-not-found' '-o' 'name')) {
            $operator = if ($env:OPERATOR_KEY) { $env:OPERATOR_KEY } else { "la_operator_$(RandomHex 32)" }
            $pseudonym = if ($env:PSEUDONYM_KEY) { $env:PSEUDONYM_KEY } else { RandomHex 32 }
            Set-Content -Path $file -Value @("OPERATOR_KEY=$operator", "PSEUDONYM_KEY=$pseudonym")
            Apply (& kubectl '-n' 'serving' 'create' 'secret' 'generic' 'api-keys' "--from-env-file=$file" '--dry-run=client' '-o' 'yaml')
        }
    } finally {
        Remove-Item $file
    }
}

Need kubectl 'see https://kubernetes.io/docs/tasks/tools'
if (-not $NoStart) {
    Need minikube 'see https://minikube.sigs.k8s.io/docs/start'
    Need docker 'it builds the images'
    if ($Overlay -eq 'minikube') { $cpus = 4; $memory = '13g' } else { $cpus = 2; $memory = '7g' }
    Say "Minikube with $cpus cores and $memory"
    & minikube status *> $null
    if ($LASTEXITCODE -ne 0) { Run minikube @('start', "--cpus=$cpus", "--memory=$memory", '--disk-size=40g') }
    Run minikube @('addons', 'enable', 'metrics-server')

    Say 'images'
    $version = Pinned 'PLATFORM_VERSION'
    $images = @("learning-analytics/platform:$version", "learning-analytics/ingestion:$version")
    Run docker @('build', '-q', '-f', 'deployment/images/Dockerfile', '--target', 'platform', '-t', $images[0], '.')
    Run docker @('build', '-q', '-f', 'ingestion_layer/Dockerfile.ingestion', '--build-arg', "PLATFORM_IMAGE=$($images[0])", '-t', $images[1], '.')
    if ($Overlay -eq 'local') {
        $images += "learning-analytics/kafka:$version", "learning-analytics/minio:$version"
        Run docker @('build', '-q', '-f', 'deployment/images/kafka/Dockerfile', '-t', $images[2], '.')
        Run docker @('build', '-q', '-t', $images[3], 'minio')
    }
    Run minikube (@('image', 'load') + $images)
}

Say 'keys'
SetKeys

if ($Overlay -eq 'minikube') {
    $strimzi = Pinned 'STRIMZI_VERSION'
    $releases = 'https://github.com/strimzi/strimzi-kafka-operator/releases/download'
    $install = if ($env:STRIMZI_INSTALL) { $env:STRIMZI_INSTALL } else { "$releases/$strimzi/strimzi-cluster-operator-$strimzi.yaml" }
    Say "Strimzi's operator $strimzi"
    Run kubectl @('apply', '-f', 'kafka/namespace.yaml')
    $file = New-TemporaryFile
    try {
        Invoke-WebRequest -UseBasicParsing -Uri $install -OutFile $file
        $manifests = (Get-Content $file) -replace ': myproject$', ': kafka'
        Set-Content -Path $file -Value $manifests
        Run kubectl @('apply', '-n', 'kafka', '--server-side', '-f', "$file")
    } finally {
        Remove-Item $file
    }
    Run kubectl @('-n', 'kafka', 'rollout', 'status', 'deployment/strimzi-cluster-operator', '--timeout=300s')
    if (-not $NoStart) { Run minikube @('ssh', '--', 'sudo', 'mkdir', '-p', '/data/kafka-0', '/data/kafka-1', '/data/kafka-2') }
}

Say "the platform: kubectl apply -k deployment/kubernetes/overlays/$Overlay"
Run kubectl @('apply', '-k', "deployment/kubernetes/overlays/$Overlay")

Say 'waiting for every pod'
if ($Overlay -eq 'minikube') {
    Run kubectl @('-n', 'kafka', 'wait', 'kafka/kafka-cluster', '--for=condition=Ready', '--timeout=600s')
} else {
    Run kubectl @('-n', 'kafka', 'rollout', 'status', 'statefulset/kafka', '--timeout=300s')
}
Run kubectl @('-n', 'minio', 'rollout', 'status', 'deployment/minio', '--timeout=300s')
Run kubectl @('-n', 'spark', 'rollout', 'status', 'statefulset/ingestion', '--timeout=300s')
Run kubectl @('-n', 'spark', 'rollout', 'status', 'statefulset/speed', '--timeout=300s')
Run kubectl @('-n', 'serving', 'rollout', 'status', 'deployment/serving', '--timeout=300s')

if ($Events -gt 0) {
    Say "$Events generated events"
    Run kubectl @('-n', 'producer', 'delete', 'job', 'producer', '--ignore-not-found')
    Apply ((& kubectl 'kustomize' 'deployment/kubernetes/producer') -replace '"5000"', "`"$Events`"")
    Run kubectl @('-n', 'producer', 'wait', 'job/producer', '--for=condition=Complete', '--timeout=600s')
}

Write-Host @'

The platform is up. Its API, with documentation at http://127.0.0.1:8000/docs:
  kubectl -n serving port-forward service/serving 8000:8000
It answers who sends `Authorization: Bearer KEY`; the operator's key is in the secret api-keys:
  kubectl -n serving get secret api-keys -o jsonpath='{.data.OPERATOR_KEY}' | base64 -d
The daily batch run, now:
  kubectl -n spark create job --from=cronjob/batch batch-now
'@
