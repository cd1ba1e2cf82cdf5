#!/bin/sh
# Installs what the tests drive and pip cannot bring: Chromium, redis-server, kubectl, tshark.
# Needs Debian's apt and root; elsewhere it says what is missing, and the tests that need it are skipped.
set -u
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v kubectl >/dev/null 2>&1 || missing="$missing kubernetes-client"
command -v tshark >/dev/null 2>&1 || missing="$missing tshark"
[ -z "$missing" ] && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Set-up: installing what the tests drive with apt:$missing (about two minutes)"
  export DEBIAN_FRONTEND=noninteractive
  dpkg --configure -a >/dev/null  # one that was cut off
  apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "NOT INSTALLED:$missing. Tests that need them will be skipped." >&2
exit 0
