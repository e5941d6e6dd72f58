#!/bin/sh
# check.sh - the feed protocol, checked with spin: the model holds, and each planted fault is found.
#
#   tests/model/check.sh [BUILD-FOLDER]           twenty seconds
#   tests/model/check.sh --long [BUILD-FOLDER]    more events, crashes, restores and decisions
set -eu
cd "$(dirname "$0")"
long=""
if [ "${1:-}" = "--long" ]; then
  long=yes
  shift
fi
work=${1:-$(mktemp -d)}
mkdir -p "$work"
command -v spin >/dev/null || { echo "spin is missing: apt-get install spin" >&2; exit 1; }

# check NAME WORDS... - builds and runs one search; prints what spin says of it. Answers 0: no error.
check() {
  name=$1
  shift
  rm -rf "${work:?}/$name"
  mkdir -p "$work/$name"
  (
    cd "$work/$name"
    spin -a "$@" "$OLDPWD/feed.pml" >spin.log 2>&1 || { cat spin.log; exit 2; }
    "${CC:-cc}" "${optimize:--O1}" -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c
    # 6 GB and five minutes of work are enough for each, or the model has grown too large.
    # shellcheck disable=SC3045 # every shell here knows it
    (ulimit -v 6000000 && ulimit -t 300 && ./pan -m100000) >pan.log 2>&1 || echo "ended with $?" >>pan.log
  ) || exit 2
  errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$work/$name/pan.log" | head -n 1)
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$work/$name/pan.log" | head -n 1)
  if [ -z "$errors" ] || grep -q -e 'max search depth too small' -e 'out of memory' "$work/$name/pan.log"; then
    echo "the search of $name was cut short" >&2
    exit 2
  fi
  said="no error"
  [ "$errors" = 0 ] || said=$(sed -n 's/^pan:[0-9]*: \(.*\)(at depth.*/found: \1/p' "$work/$name/pan.log")
  printf '%-28s %11s states  %6s s  %5s MB  %s\n' "$name" "${states:-?}" \
    "$(sed -n 's/^pan: elapsed time \([0-9.]*\) sec.*/\1/p' "$work/$name/pan.log")" \
    "$(sed -n 's/^ *\([0-9]*\)[0-9.]*\ttotal actual memory usage.*/\1/p' "$work/$name/pan.log")" "$said"
  [ "$errors" = 0 ]
}

failed=0
check holds || failed=1
check holds-with-two-restores -DRESTORES=2 -DDECISIONS=3 -DCONSUMER_RESTORES=0 || failed=1
if [ -n "$long" ]; then
  check holds-with-losses -DCRASHES=2 -DLOSSES=2 || failed=1
  check holds-with-more-events -DEVENTS=5 -DLOSSES=2 -DCONSUMER_RESTORES=0 || failed=1
  check holds-with-all-of-it -DRESTORES=2 -DDECISIONS=3 || failed=1
fi
optimize=-O0 # short searches: building them is what takes time
for fault in 1 2 3 4 5 6 7 8; do
  restores=1
  [ "$fault" != 8 ] || restores=2
  if check "fault-$fault" "-DFAULT=$fault" "-DRESTORES=$restores"; then
    echo "the planted fault $fault was not found" >&2
    failed=1
  fi
done
exit $failed
