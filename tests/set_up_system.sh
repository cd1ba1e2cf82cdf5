#!/bin/sh
# Installs what the tests drive, and the tools that ours are compared with, which pip cannot bring.
# Needs Debian's apt and root; elsewhere it says what is missing, and the tests that need it are skipped.
set -u
missing=""
needs() { # a command, and Debian's package that brings it
  command -v "$1" >/dev/null 2>&1 || missing="$missing ${2:-$1}"
}
needs chromium
needs firefox-esr
needs redis-server
needs kubectl kubernetes-client
needs tshark
for tool in curl jq openssl ssldump tcpdump tree wget; do needs $tool; done
needs etcd etcd-server
needs etcdctl etcd-client
[ -z "$missing" ] && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Set-up: installing what the tests drive with apt:$missing (about two minutes)"
  export DEBIAN_FRONTEND=noninteractive
  dpkg --configure -a >/dev/null  # one that was cut off
  apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "NOT INSTALLED:$missing. Tests that need them will be skipped." >&2
exit 0
