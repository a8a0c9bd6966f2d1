#!/bin/sh
# Install the servers that pip does not bring, below the virtual environment that is named.
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
npm ci --prefix "$venv/servers" --omit=optional --no-audit --no-fund --loglevel=error

# Fingerprints for AcoustID. Without the library that service alone cannot be asked.
if ! ldconfig -p | grep -q libchromaprint; then
  if [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq libchromaprint1 > /dev/null
  else
    echo "libchromaprint is not there: tests of AcoustID's fingerprints are skipped. Install libchromaprint1." >&2
  fi
fi
