#!/bin/sh
# Install the Debian or Ubuntu packages that the tests run against, and those named; only what is missing.
# No daemon is started: the tests start their own, in network namespaces. Who is not root is lent a range of ids
# in /etc/subuid and /etc/subgid, if there is none yet: Postfix wants several users inside such a namespace.
set -eu

packages="tshark tcpdump dovecot-imapd dovecot-pop3d postfix dnsmasq-base isc-dhcp-client udhcpc curl gsasl swaks
msmtp libnet-ssleay-perl libauthen-sasl-perl libsasl2-modules tinyproxy-bin microsocks openssl gnutls-bin iproute2
util-linux mount uidmap passwd procps hostname systemd nginx snmpd cups-ipp-utils
avahi-daemon chromium $*"
me=$(id -un)

# The first id behind all that are lent already.
free() { cat "$1" 2>/dev/null | awk -F: 'BEGIN { top = 100000 } $2 + $3 > top { top = $2 + $3 } END { print top }'; }
lent() { grep -qsE "^($me|$(id -u)):" /etc/subuid && grep -qsE "^($me|$(id -u)):" /etc/subgid; }

unlent=""
[ "$(id -u)" -eq 0 ] || lent || unlent=yes
missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing$unlent" ] || exit 0

if [ -n "$missing" ] && ! command -v apt-get >/dev/null; then
    echo "tests need$missing, and there is no apt-get here to install them" >&2
    exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "tests need${missing:+ the packages$missing}${unlent:+ a range of ids for $me in /etc/subuid}:" \
            "run this as root${unlent:+, and usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $me}" >&2
        exit 1
    }
    as_root="sudo"
fi
if [ -n "$unlent" ]; then
    users=$(free /etc/subuid) groups=$(free /etc/subgid)
    $as_root usermod --add-subuids "$users-$((users + 65535))" --add-subgids "$groups-$((groups + 65535))" "$me"
fi
[ -n "$missing" ] || exit 0

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
