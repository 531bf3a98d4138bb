# The daily batch on Oozie: validate, upload, submit; kill and replace a running coordinator. As deploy_oozie.sh.
param(
    [Parameter(Position = 0)] [string] $Command = "",
    [Parameter(Position = 1, ValueFromRemainingArguments = $true)] [string[]] $Options = @()
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = "Stop"

$Usage = @"
usage: deploy_oozie.ps1 COMMAND ["-Dname=value" ...]
  validate   have the server check workflow.xml and coordinator.xml against Oozie's XSDs
  upload     validate, then put both and the project's code where job.properties says (appPath)
  run        upload, then start one run; prints its id
  start      upload, then start the daily coordinator; refused where there is one
  ensure     as start; where there is one nothing is done
  replace    upload, then kill the coordinator and its run, start anew
  kill       kill the coordinator and its run
  status     the coordinator, and the last runs
"-Dname=value" takes the place of a value of batch_layer/oozie/job.properties.
environment:
  OOZIE_URL    the server (http://localhost:11000/oozie)
  START, END   the coordinator's times, as 2026-03-01T03:00Z (today at 03:00 UTC; in ten years);
               where END is the very time of a run, Oozie skips the last run before it
Needs oozie, hdfs and tar on the PATH.
"@

function Stop-Deployment([string] $Message, [int] $Status = 1) {
    [Console]::Error.WriteLine("deploy_oozie: $Message")
    exit $Status
}

$Root = Split-Path -Parent $PSScriptRoot
$App = Join-Path $PSScriptRoot "oozie"
$Coordinator = "learning-analytics-daily"
if (-not $env:OOZIE_URL) { $env:OOZIE_URL = "http://localhost:11000/oozie" }

$Commands = "validate", "upload", "run", "start", "ensure", "replace", "kill", "status"
if ($Command -in "-h", "--help") { Write-Output $Usage; exit 0 }
if ($Command -notin $Commands) {
    [Console]::Error.WriteLine($Usage)
    Stop-Deployment "COMMAND must be one of those above; got '$Command'" 2
}
foreach ($Option in $Options) {
    if ($Option -notmatch "^-D.+=") { Stop-Deployment "options must be -Dname=value; got '$Option'" 2 }
}
foreach ($Tool in "oozie", "hdfs", "tar") {
    if (-not (Get-Command $Tool -ErrorAction SilentlyContinue)) { Stop-Deployment "'$Tool' must be on the PATH" }
}
& oozie admin -status | Out-Null
if ($LASTEXITCODE -ne 0) { Stop-Deployment "OOZIE_URL must name a server that answers; got $env:OOZIE_URL" }

# A property: the last -D of it, else job.properties; the names in it are filled in.
function Get-Property([string] $Name) {
    if ($Name -eq "user.name") { return [Environment]::UserName }
    $Value = ""
    foreach ($Line in Get-Content (Join-Path $App "job.properties")) {
        if ($Line.StartsWith("$Name=")) { $Value = $Line.Substring($Name.Length + 1) }
    }
    foreach ($Option in $Options) {
        if ($Option.StartsWith("-D$Name=")) { $Value = $Option.Substring($Name.Length + 3) }
    }
    return [regex]::Replace($Value, "\$\{([A-Za-z.]+)\}", { param($Match) Get-Property $Match.Groups[1].Value })
}

function Test-Files {
    foreach ($File in "workflow", "coordinator") {
        & oozie validate (Join-Path $App "$File.xml") | Out-Host
        if ($LASTEXITCODE -ne 0) { Stop-Deployment "$File.xml must be valid" }
    }
}

function Send-Files {
    $Target = Get-Property "appPath"
    $Archive = Join-Path $Work "project.tar.gz"
    & tar -czf $Archive "--exclude=__pycache__" "--exclude=serving_layer/dashboard" `
        "-C" $Root runtime catalogue ingestion_layer batch_layer serving_layer deployment config/defaults.env
    if ($LASTEXITCODE -ne 0) { Stop-Deployment "the project's code must be readable; tar failed" }
    & hdfs dfs -mkdir -p $Target | Out-Host
    if ($LASTEXITCODE -ne 0) { Stop-Deployment "appPath must be a folder that can be made; got $Target" }
    & hdfs dfs -put -f (Join-Path $App "workflow.xml") (Join-Path $App "coordinator.xml") $Archive "$Target/" | Out-Host
    if ($LASTEXITCODE -ne 0) { Stop-Deployment "appPath must take files; got $Target" }
    Out-Host -InputObject "uploaded to $Target"
}

# The ids of the daily coordinators that haven't ended, suspended and paused ones too.
function Get-Alive {
    $Filter = "name=$Coordinator"
    foreach ($State in "PREP", "PREPSUSPENDED", "PREPPAUSED", "RUNNING", "RUNNINGWITHERROR", "SUSPENDED",
        "SUSPENDEDWITHERROR", "PAUSED", "PAUSEDWITHERROR") {
        $Filter += ";status=$State"
    }
    $Said = & oozie jobs -jobtype coordinator -filter $Filter
    if ($LASTEXITCODE -ne 0) { Stop-Deployment "Oozie must list its coordinators; got: $Said" }
    $Said | Select-String -Pattern "^[^ ]*-C(?= )" | ForEach-Object { $_.Matches[0].Value }
}

function Stop-Alive {
    foreach ($Id in @(Get-Alive)) {
        & oozie job -kill $Id | Out-Host
        if ($LASTEXITCODE -ne 0) { Stop-Deployment "$Id must be killed; Oozie refused it" }
        Out-Host -InputObject "killed $Id"
    }
}

function Submit-Job([string[]] $Arguments) {
    $Said = & oozie job @Arguments -run
    $Id = $Said | Where-Object { $_ -match "^job: " } | ForEach-Object { $_ -replace "^job: ", "" }
    if (-not $Id) { Stop-Deployment "the job must be taken; Oozie refused it" }
    Write-Output $Id
}

function Start-Coordinator {
    $Now = (Get-Date).ToUniversalTime()
    $First = if ($env:START) { $env:START } else { $Now.ToString("yyyy-MM-dd") + "T03:00Z" }
    $Last = if ($env:END) { $env:END } else { $Now.AddYears(10).ToString("yyyy-MM-dd") + "T02:00Z" }
    $Properties = Join-Path $Work "coordinator.properties"
    (Get-Content (Join-Path $App "job.properties")) `
        -replace "^oozie\.wf\.application\.path=(.*)", 'oozie.coord.application.path=$1/coordinator.xml' |
        Set-Content -Encoding ascii $Properties
    Submit-Job (@("-config", $Properties) + $Options + @("-DstartTime=$First", "-DendTime=$Last"))
}

$Work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid())
New-Item -ItemType Directory $Work | Out-Null
try {
    switch ($Command) {
        "validate" { Test-Files }
        "upload" { Test-Files; Send-Files }
        "run" { Test-Files; Send-Files; Submit-Job (@("-config", (Join-Path $App "job.properties")) + $Options) }
        { $_ -in "start", "ensure" } {
            $There = @(Get-Alive)
            if ($There.Count -and $Command -eq "start") {
                Stop-Deployment "no daily coordinator may be there; $There is: use replace"
            }
            if ($There.Count) { Write-Output "the daily coordinator is there: $There"; break }
            Test-Files; Send-Files; Start-Coordinator
        }
        "replace" { Test-Files; Send-Files; Stop-Alive; Start-Coordinator }
        "kill" { Stop-Alive }
        "status" {
            & oozie jobs -jobtype coordinator -filter "name=$Coordinator" -len 3
            & oozie jobs -filter "name=learning-analytics-batch" -len 5
        }
    }
}
finally {
    Remove-Item -Recurse -Force $Work
}
