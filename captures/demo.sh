#!/bin/sh
# Read the sample capture into an inventory of its own, and show what one can ask of it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export MAILSUNSET_DB="$folder/inventory.db"
cd "$(dirname "$0")"

say() {
    printf '\n# %s\n$ mailsunset %s\n' "$1" "$2"
    # shellcheck disable=SC2086  # words are meant to be split
    mailsunset $2
}

say "What stops mailing, the worst first" "read office.pcapng"
say "Why one of them breaks, though all it says is inside TLS" "explain 10.20.0.31"
say "What Microsoft switches off when" "deadlines"
