#!/bin/sh
# coverage.sh - how much of what the fuzzers aim at is reached: replays the seeds and what runs have learnt (build/fuzz/corpus), in
# a build of its own (preset coverage), and prints a table by folder, and the files that are reached least.
#
#   tests/fuzz/coverage.sh [TARGET...]
set -eu
cd "$(dirname "$0")/../.."
cmake --preset coverage >/dev/null
build=build/coverage
cmake --build --preset coverage -j "$(nproc)" >"$build/build.log" || { tail -n 40 "$build/build.log"; exit 1; }
# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(cd "$build/bin" && ls fuzz_* | sed -n 's/^fuzz_//p' | grep -vx seeds)
llvm=""
! command -v llvm-profdata-14 >/dev/null || llvm=-14

mkdir -p build/fuzz/corpus "$build/profiles"
[ -e "$build/corpus" ] || ln -s ../fuzz/corpus "$build/corpus"
objects=""
for target in "$@"; do
  LLVM_PROFILE_FILE=$(pwd)/$build/profiles/$target.raw tests/fuzz/run.sh --built "$build" 0 "$target"
  objects="$objects -object $build/bin/fuzz_$target"
done
"llvm-profdata$llvm" merge -sparse "$build"/profiles/*.raw -o "$build/profiles/all"
# shellcheck disable=SC2086 # a list of words
"llvm-cov$llvm" export -summary-only -instr-profile "$build/profiles/all" $objects >"$build/coverage.json"
python3 tests/fuzz/coverage.py "$build/coverage.json"
