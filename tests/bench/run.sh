#!/bin/sh
# run.sh - measures Avvik beside a floor in the same run and prints the tables. Takes some minutes; wants a quiet machine.
#
#   tests/bench/run.sh [--quick] [--check]    --check: end with 1 when a bar is missed
#   tests/bench/run.sh --peers [...]          beside PostgreSQL, Redis, RabbitMQ, NATS and Mosquitto; words: peers/peers.py --help
#   tests/bench/run.sh --history N [N...]     on an empty store and with N reports stored
#   tests/bench/run.sh --deadlines [...]      100 000 open cases with 300 000 deadlines; words: deadlines.py
#   tests/bench/run.sh --soak [MINUTES] [--keep]      the soak instead: see soak.py; --keep puts its result in docs/
set -eu
cd "$(dirname "$0")/../.."
. deploy/packages.sh
what="${1:-}"
# shellcheck disable=SC2086 # lists of words
install_packages $build_packages python3-zmq python3-protobuf python3-yaml
case "$what" in
--peers)
  # Debian starts a service when it installs it; here nobody may.
  guard=/usr/sbin/policy-rc.d as_root=""
  [ "$(id -u)" -eq 0 ] || as_root=sudo
  if [ ! -e "$guard" ]; then
    $as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$guard && chmod +x $guard"
    trap '$as_root rm -f "$guard"' EXIT
  fi
  # One at a time: a peer that cannot be had is reported in the table, and the others go on.
  for package in $peer_packages; do
    install_packages "$package" || echo "not to be had: $package" >&2
  done
  ;;
--history) install_packages strace ;;
esac
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" >/dev/null
export AVVIK_BIN=build/release/bin AVVIK_PROTO=proto AVVIK_SOURCE=.
case "$what" in
--peers) shift && /usr/bin/python3 tests/bench/peers/peers.py "$@" ;;
--history) shift && /usr/bin/python3 tests/bench/peers/history.py "$@" ;;
--deadlines) shift && /usr/bin/python3 tests/bench/deadlines.py "$@" ;;
--soak) shift && /usr/bin/python3 tests/bench/soak.py "$@" ;;
*) exec /usr/bin/python3 tests/bench/bench.py "$@" ;;
esac
