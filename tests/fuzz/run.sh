#!/bin/sh
# run.sh - builds the fuzzers and runs each for so many seconds: tests/fuzz/run.sh [SECONDS [TARGET...]]
#
#   tests/fuzz/run.sh                 a minute each
#   tests/fuzz/run.sh 600             ten minutes each
#   tests/fuzz/run.sh 600 workflow    one of them
#   tests/fuzz/run.sh 0               only what earlier runs have learnt, and the seeds, once
#
# What a run has learnt stays in build/fuzz/corpus; what it finds, in build/fuzz/findings, with the line that repeats it.
# Exit code 1 when anything was found. (--built BUILD-TREE as the first two words: nothing is built; for ctest.)
set -eu
cd "$(dirname "$0")/../.."
build=build/fuzz
if [ "${1:-}" = "--built" ]; then
  build=$2
  shift 2
else
  cmake --preset fuzz >/dev/null
  cmake --build --preset fuzz -j "$(nproc)" >"$build/build.log" || { tail -n 40 "$build/build.log"; exit 1; }
fi
seconds=${1:-60}
[ $# -eq 0 ] || shift
# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(cd "$build/bin" && ls fuzz_* | sed -n 's/^fuzz_//p' | grep -vx seeds)

# Stores are opened thousands of times: in memory, where there is any.
scratch=$(mktemp -d /dev/shm/avvik-fuzz-XXXXXX 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
TMPDIR=$scratch
UBSAN_OPTIONS=print_stacktrace=1
ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export TMPDIR UBSAN_OPTIONS ASAN_OPTIONS

# seed_as NUMBER FILE - a seed whose first byte says what it is
seed_as() {
  { printf '%b' "\\0$1"; cat "$2"; } >"$seeds/$1-${2##*/}"
}

found=0
mkdir -p "$build/findings"
for target in "$@"; do
  corpus=$build/corpus/$target
  seeds=$scratch/seeds-$target
  log=$build/findings/$target.log
  mkdir -p "$corpus" "$seeds"
  # Seeds as YAML become rows of steps; those of a daemon serve its records too. Files of another kind are taken as they are.
  rows=$(ls tests/fuzz/seeds/"$target"-*.yaml tests/fuzz/seeds/"${target%_records}"-*.yaml 2>/dev/null | sort -u)
  # shellcheck disable=SC2086 # a list of files
  [ -z "$rows" ] || "$build/bin/fuzz_seeds" "$seeds" $rows
  for file in tests/fuzz/seeds/"$target"/*; do
    [ ! -f "$file" ] || cp "$file" "$seeds/"
  done
  quiet=""
  case $target in
    *_records) "$build/bin/fuzz_seeds" "$seeds" --records ;;
    text)
      for file in deploy/directory/*.yaml deploy/rules/*.yaml deploy/samples/*.yaml deploy/takeover/*.yaml tests/fuzz/worlds/directory.yaml; do
        cp "$file" "$seeds/$(echo "$file" | tr / -)" # files of the same name lie in several folders
      done
      ;;
    json) cp deploy/samples/*.json "$seeds/" ;;
    files)
      for file in deploy/templates/*; do seed_as 5 "$file"; done
      ;;
    tool)
      rm "$seeds"/*
      for file in tests/fuzz/seeds/tool/*; do seed_as 0 "$file"; seed_as 1 "$file"; done
      for file in deploy/directory/*.yaml tests/fuzz/worlds/directory.yaml; do seed_as 2 "$file"; done
      for file in deploy/rules/*.yaml; do seed_as 3 "$file"; seed_as 4 "$file"; done
      for file in deploy/samples/*.yaml deploy/samples/*.json; do seed_as 5 "$file"; done
      quiet="-close_fd_mask=3" # what the tool says is not for us
      ;;
  esac
  dictionary=""
  [ ! -f "tests/fuzz/dict/$target.dict" ] || dictionary="-dict=tests/fuzz/dict/$target.dict"
  limit=-max_total_time=$seconds
  [ "$seconds" != 0 ] || limit=-runs=0
  status=0
  # shellcheck disable=SC2086 # one word or none
  "$build/bin/fuzz_$target" "$limit" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -len_control=0 \
    -print_final_stats=1 -artifact_prefix="$build/findings/$target-" $quiet $dictionary "$corpus" "$seeds" >"$log" 2>&1 || status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  last=$(grep -E ' cov: ' "$log" | tail -n 1 | sed -E 's/.*(cov: [0-9]+ ft: [0-9]+ corp: [^ ]+).*/\1/')
  [ "$seconds" != 0 ] || last="replayed"
  printf '%-22s %8s inputs  %s\n' "$target" "${runs:-?}" "${last:-no coverage}"
  if [ "$status" -ne 0 ]; then
    found=1
    grep -nE 'ERROR|runtime error|SUMMARY|Test unit written' "$log" || tail -n 20 "$log"
    grep -E '^    #[0-9]+ ' "$log" | grep -v -e compiler-rt -e libc -e Fuzzer | head -n 12 || true
    echo "  again: $build/bin/fuzz_$target $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)"
  fi
done
exit $found
