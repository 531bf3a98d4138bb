#!/usr/bin/env bash
# The daily batch on Oozie: validate, upload, submit; kill and replace a running coordinator.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: deploy_oozie.sh COMMAND [-Dname=value …]
  validate   have the server check workflow.xml and coordinator.xml against Oozie's XSDs
  upload     validate, then put both and the project's code where job.properties says (appPath)
  run        upload, then start one run; prints its id
  start      upload, then start the daily coordinator; refused where there is one
  ensure     as start; where there is one nothing is done
  replace    upload, then kill the coordinator and its run, start anew
  kill       kill the coordinator and its run
  status     the coordinator, and the last runs
-Dname=value takes the place of a value of batch_layer/oozie/job.properties.
environment:
  OOZIE_URL    the server (http://localhost:11000/oozie)
  START, END   the coordinator's times, as 2026-03-01T03:00Z (today at 03:00 UTC; in ten years);
               where END is the very time of a run, Oozie skips the last run before it
Needs `oozie` and `hdfs`, from the PATH or from where `make oozie-up` puts them.
TEXT
}

fail() {
  echo "deploy_oozie: $1" >&2
  exit "${2:-1}"
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
app=$here/oozie
coordinator=learning-analytics-daily
export OOZIE_URL=${OOZIE_URL:-http://localhost:11000/oozie}
PATH=$PATH:${XDG_CACHE_HOME:-$HOME/.cache}/learning-analytics/bin

command=${1:-}
case $command in
  validate | upload | run | start | ensure | replace | kill | status) shift ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; fail "COMMAND must be one of those above; got '$command'" 2 ;;
esac
for option in "$@"; do
  [[ $option == -D?*=* ]] || fail "options must be -Dname=value; got '$option'" 2
done
for tool in oozie hdfs; do
  command -v "$tool" > /dev/null || fail "'$tool' must be on the PATH; \`make oozie-up\` installs it here"
done
oozie admin -status > /dev/null 2>&1 || fail "OOZIE_URL must name a server that answers; got $OOZIE_URL"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A property: the last -D of it, else job.properties; the names in it are filled in.
property() {
  local name=$1 value option inner
  shift
  value=$(sed -n "s/^$name=//p" "$app/job.properties")
  for option in "$@"; do
    [[ $option == "-D$name="* ]] && value=${option#*=}
  done
  while [[ $value =~ \$\{([A-Za-z.]+)\} ]]; do
    inner=${BASH_REMATCH[1]}
    if [[ $inner == user.name ]]; then inner=$(id -un); else inner=$(property "$inner" "$@"); fi
    value=${value/"${BASH_REMATCH[0]}"/$inner}
  done
  echo "$value"
}

validate() {
  local file
  for file in workflow coordinator; do
    oozie validate "$app/$file.xml" || fail "$file.xml must be valid"
  done
}

upload() {
  local target parts=(runtime catalogue ingestion_layer batch_layer serving_layer deployment config/defaults.env)
  target=$(property appPath "$@")
  tar -czf "$work/project.tar.gz" --exclude=__pycache__ --exclude=serving_layer/dashboard -C "$root" "${parts[@]}"
  hdfs dfs -mkdir -p "$target" || fail "appPath must be a folder that can be made; got $target"
  hdfs dfs -put -f "$app/workflow.xml" "$app/coordinator.xml" "$work/project.tar.gz" "$target/" ||
    fail "appPath must take files; got $target"
  echo "uploaded to $target"
}

# The ids of the daily coordinators that haven't ended, suspended and paused ones too.
alive() {
  local filter="name=$coordinator" state said
  for state in PREP PREPSUSPENDED PREPPAUSED {RUNNING,SUSPENDED,PAUSED}{,WITHERROR}; do
    filter+=";status=$state"
  done
  said=$(oozie jobs -jobtype coordinator -filter "$filter") || fail "Oozie must list its coordinators; got: $said"
  sed -n 's/^\([^ ]*-C\) .*/\1/p' <<< "$said"
}

kill_alive() {
  local id ids
  ids=$(alive)
  for id in $ids; do
    oozie job -kill "$id" || fail "$id must be killed; Oozie refused it"
    echo "killed $id"
  done
}

submit() {
  oozie job "$@" -run | sed -n 's/^job: //p' | grep . || fail "the job must be taken; Oozie refused it"
}

start() {
  local first last
  first=${START:-$(date -u +%Y-%m-%dT03:00Z)}
  last=${END:-$(date -u -d "10 years" +%Y-%m-%dT02:00Z)}
  sed 's/^oozie\.wf\.application\.path=\(.*\)/oozie.coord.application.path=\1\/coordinator.xml/' \
    "$app/job.properties" > "$work/coordinator.properties"
  submit -config "$work/coordinator.properties" "$@" -DstartTime="$first" -DendTime="$last"
}

case $command in
  validate) validate ;;
  upload) validate; upload "$@" ;;
  run) validate >&2; upload "$@" >&2; submit -config "$app/job.properties" "$@" ;;
  start | ensure)
    there=$(alive)
    if [[ -n $there ]]; then
      [[ $command == ensure ]] || fail "no daily coordinator may be there; $there is: use replace"
      echo "the daily coordinator is there: $there"
      exit
    fi
    validate >&2
    upload "$@" >&2
    start "$@"
    ;;
  replace) validate >&2; upload "$@" >&2; kill_alive >&2; start "$@" ;;
  kill) kill_alive ;;
  status)
    oozie jobs -jobtype coordinator -filter "name=$coordinator" -len 3
    oozie jobs -filter name=learning-analytics-batch -len 5
    ;;
esac
