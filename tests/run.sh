#!/bin/sh
# run.sh - installs what is missing, builds Avvik and runs all its tests through ctest. The same command on a laptop and in CI.
#
#   tests/run.sh              everything that fits in ten minutes on two cores: dev and sanitized builds
#   tests/run.sh --long       the long campaigns too
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
export PATH="/usr/bin:$PATH" # Debian's Python, which has the packages above

jobs=$(nproc)
cmake --preset release >/dev/null
cmake --build --preset release -j "$jobs"
cmake --preset asan >/dev/null
cmake --build --preset asan -j "$jobs"

echo "--- unit and component tests under the address and undefined-behaviour sanitizers"
ctest --test-dir build/asan --output-on-failure -j "$jobs" -LE 'scenario|crash|sim|long' "$@"
echo "--- fuzzers, a minute in all"
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$jobs"
ctest --test-dir build/fuzz --output-on-failure -j "$jobs" -L fuzz "$@"
echo "--- simulation, scenario and crash tests, as released"
if [ -n "$long" ]; then
  ctest --test-dir build/release --output-on-failure -j 1 -L 'scenario|crash|sim|long' "$@"
  tests/fuzz/run.sh 600
else
  ctest --test-dir build/release --output-on-failure -j 2 -L 'scenario|crash|sim' -LE long "$@"
fi
