#!/bin/sh
# quickstart.sh - Avvik in a minute: builds it, starts the four daemons under a stepped clock, files reports from five made-up systems,
# plays some of the people who work with them and lets months pass. Tells what happens as it happens.
#
#   deploy/quickstart.sh           stays up until Ctrl-C, so that you can look around
#   deploy/quickstart.sh --exit    ends when the story does
#
# Everything is made in state/ (or $QUICKSTART_STATE), anew each time. The story is in deploy/story.
set -eu
cd "$(dirname "$0")/.."

stay=yes
case "${1:-}" in
"") ;;
--exit) stay="" ;;
*)
  sed -n 's/^# \{0,1\}//p' "$0" | sed -n '/^quickstart/,/^$/p' >&2
  exit 2
  ;;
esac

root=$(pwd)
state=${QUICKSTART_STATE:-$root/state}
case "$state" in /*) ;; *) state=$root/$state ;; esac
build=$root/build/release
export PATH="$build/bin:$PATH" AVVIK_SETTINGS="$state/avvik.yaml"
. deploy/packages.sh
. deploy/story/words.sh
. deploy/story/investigations.sh

up_pid=""
stop() {
  trap - EXIT INT TERM
  [ -z "$up_pid" ] || kill "$up_pid" 2>/dev/null || true
  [ -z "$up_pid" ] || wait "$up_pid" 2>/dev/null || true
}
trap stop EXIT
trap 'echo; stop; exit 0' INT TERM

heading "Building Avvik"
# shellcheck disable=SC2086 # a list of words
install_packages $build_packages
began=$(date +%s)
mkdir -p "$root/build"
for step in "--preset release" "--build --preset release --target avvik avvik-intake avvik-workflow avvik-notification avvik-reporting"; do
  # shellcheck disable=SC2086 # words
  if ! cmake $step >"$root/build/quickstart.log" 2>&1; then
    tail -n 40 "$root/build/quickstart.log" >&2
    echo "quickstart.sh: the build fails; the whole log is build/quickstart.log" >&2
    exit 1
  fi
done
echo "built in $(($(date +%s) - began)) seconds: programs in build/release/bin"

heading "A municipality: Lindåker"
fresh_state "$state"
avvik keys init "$state" --name lindaker --templates deploy/templates --stepped "2026-04-01 07:00" >/dev/null
echo "This folder was made by deploy/quickstart.sh, which replaces it each time." >"$state/quickstart"
add() { avvik principals add "$@" >/dev/null; }
for system in journalsystem larmsystem e-tjanst funktionsstod; do
  add "$system" --kind publisher --rights publish,status
done
add hvb-tallen --kind publisher --rights publish,status --units hvb-tallen
echo "Five systems may send reports, each with a key of its own; hvb-tallen, a private home, for itself only."
avvik up >"$state/up.log" 2>&1 &
up_pid=$!
echo "$up_pid" >"$state/up.pid"
wait_ready "$state/up.log" "$up_pid"
avvik rules publish deploy/rules/se-2025-07.yaml --reason "first rule pack" >/dev/null
avvik directory publish deploy/directory/lindaker.yaml --reason "first directory" >/dev/null
avvik clock settle
sort_samples deploy/samples "$state/inbox"
began=$(date +%s)
playing=yes
tell

. deploy/story/story.sh

. deploy/story/afterwards.sh

if [ -n "$stay" ]; then
  cat <<END

All four daemons are up. In another terminal:

  export AVVIK_SETTINGS=$state/avvik.yaml PATH=$build/bin:\$PATH
  avvik status; avvik case list --open; avvik clock advance --by "1 month"; avvik feed workflow --words --follow --new

Ctrl-C ends it.
END
  wait "$up_pid" || true
fi
