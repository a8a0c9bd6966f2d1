#!/bin/sh
# Install the servers that pip does not provide into the virtual environment that is the first argument.
set -eu
venv=$1
here=$(dirname "$0")

if ! command -v npm > /dev/null; then
  if [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq nodejs npm > /dev/null
  else
    echo "npm is needed for Azurite and the Cosmos server: install Node.js 18 or later, or run this as root." >&2
    exit 1
  fi
fi
mkdir -p "$venv/servers"
cp "$here/package.json" "$here/package-lock.json" "$venv/servers/"
echo "Installing Azurite and the Cosmos server, about a minute …"
npm ci --silent --prefix "$venv/servers" --omit=optional --no-audit --no-fund --loglevel=error

# AcoustID needs this library for its fingerprints. All other services work without it.
if ! ldconfig -p | grep -q libchromaprint; then
  if [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq libchromaprint1 > /dev/null
  else
    echo "libchromaprint is missing: tests of AcoustID's fingerprints are skipped. Install libchromaprint1." >&2
  fi
fi
