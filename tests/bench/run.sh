#!/bin/sh
# run.sh - measures Avvik beside a floor in the same run and prints the tables. Takes some minutes; wants a quiet machine.
#
#   tests/bench/run.sh [--quick] [--check]            --check: end with 1 when a bar is missed
#   tests/bench/run.sh --soak [MINUTES] [--keep]      the soak instead: see soak.py; --keep puts its result in docs/
set -eu
cd "$(dirname "$0")/../.."
. deploy/packages.sh
# shellcheck disable=SC2086 # lists of words
install_packages $build_packages python3-zmq python3-protobuf python3-yaml
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" >/dev/null
what=bench.py
if [ "${1:-}" = "--soak" ]; then
  what=soak.py
  shift
fi
AVVIK_BIN=build/release/bin AVVIK_PROTO=proto AVVIK_SOURCE=. exec /usr/bin/python3 "tests/bench/$what" "$@"
