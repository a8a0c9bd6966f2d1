#!/bin/sh
# Install the servers and programs that pip does not provide. The virtual environment is the first argument.
set -eu
venv=$1
here=$(dirname "$0")

# Install packages of Debian. If that is not possible, say what is missing and what its absence means.
install_from_debian() {
  packages=$1
  absence=$2
  if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    apt-get update -qq || true
    # shellcheck disable=SC2086 # the names are separate words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages > /dev/null && return
  fi
  echo "$absence Install $packages, or run this as root on Debian." >&2
  return 1
}

if ! command -v npm > /dev/null; then
  install_from_debian "nodejs npm" "npm is missing: Azurite and the Cosmos server need Node.js 18 or later." || exit 1
fi
mkdir -p "$venv/servers"
cp "$here/package.json" "$here/package-lock.json" "$venv/servers/"
echo "Installing Azurite and the Cosmos server, about a minute …"
npm ci --silent --prefix "$venv/servers" --omit=optional --no-audit --no-fund --loglevel=error

# AcoustID needs this library for its fingerprints. All other services work without it.
if ! ldconfig -p | grep -q libchromaprint; then
  install_from_debian libchromaprint1 "libchromaprint is missing: tests of AcoustID's fingerprints are skipped." || true
fi

# The tests of the pages need a browser. Programs of other packagers count, too.
if ! command -v chromium > /dev/null && ! command -v chromium-browser > /dev/null && ! command -v google-chrome > /dev/null; then
  echo "Installing Chromium, about a minute …"
  install_from_debian chromium "Chromium is missing: tests of the pages in a browser are skipped." || true
fi
