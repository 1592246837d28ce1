#!/bin/sh
# Read the sample capture into an inventory of its own, and show what one can ask of it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export MAILSUNSET_DB="$folder/inventory.db"
cd "$(dirname "$0")"

say() { printf '\n$ mailsunset %s\n' "$*"; mailsunset "$@"; }

say read office.pcapng
say explain 10.20.0.34
say deadlines
