#!/bin/sh
# run.sh - is the code as it should read, and is there anything that a machine sees without running it?
#
#   tests/lint/run.sh [BUILD-TREE]           format, scripts, cppcheck: half a minute
#   tests/lint/run.sh --long [BUILD-TREE]    clang-tidy too: some minutes the first time, then only what has changed
#
# What is switched off stands, with its reason, in .clang-tidy, tests/.clang-tidy, .shellcheckrc and cppcheck.suppress; one
# finding in one place is answered there. Exit code 1 when anything was found.
set -eu
cd "$(dirname "$0")/../.."
long=""
if [ "${1:-}" = "--long" ]; then
  long=yes
  shift
fi
# Below here, as the suppressions name files.
build=$(realpath --relative-to=. "${1:-build/release}")
[ -f "$build/compile_commands.json" ] || { echo "build first: cmake --preset release && cmake --build --preset release" >&2; exit 1; }
found=0

echo "--- clang-format"
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror || found=1

echo "--- shellcheck"
# What is sourced is read with those that source it.
git ls-files | while read -r file; do
  [ ! -f "$file" ] || head -n 1 "$file" | tr -d '\0' | grep -qE '^#!.*\b(sh|bash)$' && echo "$file"
done | xargs shellcheck --check-sourced || found=1

echo "--- cppcheck"
mkdir -p "$build/lint/cppcheck"
cppcheck --project="$build/compile_commands.json" -i build -j "$(nproc)" --std=c11 --enable=warning,performance,portability \
  --library=tests/lint/cppcheck.cfg --suppressions-list=tests/lint/cppcheck.suppress --inline-suppr \
  --cppcheck-build-dir="$build/lint/cppcheck" --template=gcc --quiet --error-exitcode=1 || found=1

if [ -n "$long" ]; then
  echo "--- clang-tidy"
  # The fuzzers are built in a tree of their own.
  fuzz=""
  [ ! -f build/fuzz/build.ninja ] || fuzz=build/fuzz
  # shellcheck disable=SC2086 # one word or none
  python3 tests/lint/tidy.py "$build" $fuzz || found=1
fi
[ "$found" = 0 ] && echo "nothing found"
exit "$found"
