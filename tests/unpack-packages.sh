#!/bin/sh
# Unpack Debian or Ubuntu packages into a folder that would turn others out if they were installed, as mail
# servers do; only the libraries that they want are installed. What can't be had is said. Nothing is
# done if the folder is there.
set -eu

folder=$1
here=$(dirname "$0")
shift
[ ! -e "$folder" ] || exit 0
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"

known() { apt-cache depends --important "$@" 2>/dev/null; }
known "$@" >/dev/null || $as_root apt-get -qq update
# shellcheck disable=SC2046  # words are meant to be split
sh "$here/install-system-packages.sh" $(known "$@" | sed -n 's/^  Depends: \(lib[^ ]*\)$/\1/p' | sort -u)
rm -rf "$folder.part"
mkdir -p "$folder.part/debs"
download() { (cd "$folder.part/debs" && apt-get -qq download "$1" 2>/dev/null); }
for package in "$@"; do
    download "$package" || { $as_root apt-get -qq update && download "$package"; } ||
        echo "not to be had: $package" >&2
done
for package in "$folder.part/debs"/*.deb; do
    dpkg -x "$package" "$folder.part"
done
rm -r "$folder.part/debs"
mv "$folder.part" "$folder"
