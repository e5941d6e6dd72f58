#!/bin/sh
# run.sh - measures Avvik beside a floor in the same run and prints the tables. Takes some minutes; wants a quiet machine.
#
#   tests/bench/run.sh [--quick] [--check]    --check: end with 1 when a bar is missed
set -eu
cd "$(dirname "$0")/../.."
. deploy/packages.sh
# shellcheck disable=SC2086 # lists of words
install_packages $build_packages python3-zmq python3-protobuf python3-yaml
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" >/dev/null
AVVIK_BIN=build/release/bin AVVIK_PROTO=proto AVVIK_SOURCE=. exec /usr/bin/python3 tests/bench/bench.py "$@"
