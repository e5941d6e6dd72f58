#!/bin/sh
# run.sh - installs what is missing, builds Avvik and runs all its tests through ctest. The same command on a laptop and in CI.
#
#   tests/run.sh              everything that fits in ten minutes on two cores: dev and sanitized builds
#   tests/run.sh --long       the long campaigns too: hours
#   tests/run.sh -R NAME      words after the options go to ctest
set -eu
cd "$(dirname "$0")/.."
. deploy/packages.sh

long=""
if [ "${1:-}" = "--long" ]; then
  long=yes
  shift
fi
# shellcheck disable=SC2086 # lists of words
install_packages $build_packages $test_packages
# shellcheck disable=SC2086 # lists of words
[ -z "$long" ] || install_packages $long_packages
export PATH="/usr/bin:$PATH" # Debian's Python, which has the packages above

jobs=$(nproc)
build() {
  cmake --preset "$1" >/dev/null
  cmake --build --preset "$1" -j "$jobs"
}
tests() {
  tree=build/$1
  shift
  ctest --test-dir "$tree" --output-on-failure "$@"
}

build release
echo "--- what a machine sees without running anything, and the model of the feed"
tests/lint/run.sh
tests release -L model -LE long "$@"
build asan
echo "--- unit and component tests under the address and undefined-behaviour sanitizers"
tests asan -j "$jobs" -LE 'scenario|crash|sim|long|model' "$@"
build fuzz
echo "--- fuzzers, a minute in all"
tests fuzz -j "$jobs" -L fuzz "$@"
echo "--- simulation, scenario and crash tests, as released"
tests release -j 2 -L 'scenario|crash|sim' -LE long "$@"

[ -n "$long" ] || exit 0
echo "--- unit and component tests under the thread sanitizer"
tests/sanitize.sh tsan "$@"
echo "--- component tests under valgrind"
tests/sanitize.sh valgrind
echo "--- the long campaigns: lint whole, model, simulation, crashes"
tests release -j 1 -L long "$@"
echo "--- fuzzers, ten minutes each"
tests/fuzz/run.sh 600
tests/fuzz/coverage.sh
