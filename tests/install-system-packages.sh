#!/bin/sh
# Install the Debian or Ubuntu packages that the tests run against, and those named; only what is missing.
# No daemon is started: the tests start their own, in network namespaces.
set -eu

packages="tshark tcpdump dovecot-imapd dovecot-pop3d postfix curl iproute2 procps $*"

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "tests need$missing, and there is no apt-get here to install them" >&2
    exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "tests need$missing: run this as root" >&2; exit 1; }
    as_root="sudo"
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    trap '$as_root rm -f "$policy"' EXIT
fi

apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120"
# shellcheck disable=SC2086  # words are meant to be split
$apt install -y --no-install-recommends $missing >/dev/null 2>&1 || {
    $apt update >/dev/null
    $apt install -y --no-install-recommends $missing >/dev/null
}
