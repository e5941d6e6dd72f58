#!/bin/sh
# run.sh - the crash campaigns on demand. Builds and installs nothing: tests/run.sh does.
#
#   tests/crash/run.sh                      thirty kills at drawn points
#   tests/crash/run.sh --all                every point, before, in the middle and after
#   tests/crash/run.sh --matrix             the same, and docs/crash-matrix.md is made anew
#   tests/crash/run.sh --point NAME --when before|half|after      one point, ten times
set -eu
cd "$(dirname "$0")/../.."
build=${AVVIK_BUILD:-build/release}
export AVVIK_BIN="$PWD/$build/bin" AVVIK_SOURCE="$PWD" AVVIK_PROTO="$PWD/proto" AVVIK_INJECTOR="$PWD/$build/tests/inject.so"
if [ "${1:-}" = "--matrix" ]; then
  shift
  rows=$(mktemp -d)
  trap 'rm -rf "$rows"' EXIT
  parts="first intake workflow notification reporting"
  pids=""
  for part in $parts; do
    /usr/bin/python3 tests/crash/points.py --all --part "$part" --rows "$rows/$part" "$@" >"$rows/$part.log" 2>&1 &
    pids="$pids $!"
  done
  failed=""
  for pid in $pids; do
    wait "$pid" || failed=yes
  done
  cat "$rows"/*.log
  [ -z "$failed" ] || exit 1
  /usr/bin/python3 tests/crash/points.py --matrix docs/crash-matrix.md "$rows/first" "$rows/intake" "$rows/workflow" "$rows/notification" "$rows/reporting"
  exit 0
fi
exec /usr/bin/python3 tests/crash/points.py "$@"
