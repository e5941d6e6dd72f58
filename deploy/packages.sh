# packages.sh - the Debian 12 packages that Avvik is built and tested with; sourced by the scripts.

# shellcheck disable=SC2034 # not every script that sources this uses all of it
build_packages="cmake ninja-build gcc pkg-config libzmq3-dev protobuf-compiler libprotobuf-c-dev protobuf-c-compiler
  libuv1-dev liblmdb-dev libsodium-dev libcurl4-openssl-dev libyaml-dev libjansson-dev libsmartcols-dev libsystemd-dev
  libcmocka-dev uthash-dev"
# shellcheck disable=SC2034 # likewise
test_packages="clang libclang-rt-14-dev clang-format cppcheck shellcheck spin python3-zmq python3-protobuf python3-aiosmtpd python3-yaml openssl git procps iproute2 e2fsprogs"
# shellcheck disable=SC2034 # likewise
long_packages="clang-tidy valgrind llvm-14"
# What tests/bench/run.sh --peers measures Avvik beside; no part of the build or of the tests.
# shellcheck disable=SC2034 # likewise
peer_packages="strace openssl libssl-dev postgresql-15 libpq-dev redis-server libhiredis-dev rabbitmq-server librabbitmq-dev
  nats-server libnats-dev mosquitto libmosquitto-dev"

# Installs those of the named packages that are missing: as root, or with sudo.
install_packages() {
  missing=""
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
      echo "missing packages:$missing" >&2
      echo "install them as root: apt-get install$missing" >&2
      return 1
    }
    as_root=sudo
  fi
  echo "installing:$missing"
  $as_root apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
