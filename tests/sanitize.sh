#!/bin/sh
# sanitize.sh - the unit and component tests under the thread sanitizer, or the component tests under valgrind's memcheck.
#
#   tests/sanitize.sh tsan [WORDS]        in a build of its own (preset tsan); words go to ctest
#   tests/sanitize.sh valgrind [NAME...]  the programs as released; all component tests, or those named
#
# What is passed over stands, with its reason, in tests/tsan.suppress and tests/valgrind.suppress. Exit code 1: something was found.
set -eu
cd "$(dirname "$0")/.."
jobs=$(nproc)

tsan() {
  cmake --preset tsan >/dev/null
  cmake --build --preset tsan -j "$jobs" >build/tsan/build.log || { tail -n 40 build/tsan/build.log; exit 1; }
  ctest --preset tsan -j "$jobs" -LE 'scenario|crash|sim|long|model' "$@"
}

# One program; its output is shown when it fails.
memcheck() {
  log=build/release/valgrind/$1.log
  # Programs that fork leave what their parents hold.
  leaks=full
  [ "$1" != daemon_shell ] || leaks=no
  # A twentieth of the speed: a program may take minutes.
  if (cd build/release && AVVIK_TEST_PATIENCE=10 timeout 900 valgrind --quiet --error-exitcode=9 --leak-check=$leaks --errors-for-leak-kinds=definite \
    --num-callers=30 --suppressions=../../tests/valgrind.suppress "tests/test_$1") >"$log" 2>&1; then
    echo "clean: $1"
  else
    echo "FOUND: $1"
    grep -E '^==|FAILED|\[  ERROR' "$log" | head -n 60
    return 1
  fi
}

what=${1:-}
[ $# -eq 0 ] || shift
case $what in
tsan) tsan "$@" ;;
valgrind)
  mkdir -p build/release/valgrind
  # shellcheck disable=SC2046 # a list of words
  [ $# -gt 0 ] || set -- $(ctest --test-dir build/release -N -L component | sed -n 's/^ *Test *#[0-9]*: //p')
  printf '%s\n' "$@" | xargs -P "$jobs" -n 1 "$0" memcheck
  ;;
memcheck) memcheck "$1" ;;
*)
  sed -n 's/^# \{0,1\}//p' "$0" | sed -n '/^  *tests/p' >&2
  exit 2
  ;;
esac
