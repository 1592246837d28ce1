#!/bin/sh
# Install the programs that `make lab` plays beyond those of the tests; what can't be had is left out, and said.
# Packages that would turn each other out, as mail servers do, are unpacked into the folder given, not installed.
set -eu

folder=$1
here=$(dirname "$0")
packages="mpop fetchmail isync neomutt mutt s-nail getmail6 offlineimap3 git-email php-cli php-curl php-imap
libphp-phpmailer ruby wget sendemail libmail-imapclient-perl libmail-pop3client-perl libnet-imap-simple-perl
libio-socket-ssl-perl libnet-smtp-ssl-perl libmail-java libesmtp6 monitoring-plugins-basic fdm"
unpacked="exim4-daemon-light exim4-base ssmtp esmtp"
pypi="aiosmtplib aioimaplib imapclient imap-tools yagmail redmail twisted pyopenssl service_identity httpx[http2]
requests requests-ntlm aiohttp aiosmtpd exchangelib"
npm="nodemailer smtp-client emailjs imapflow imap node-pop3 axios"

command -v npm >/dev/null || packages="$packages nodejs npm"
# shellcheck disable=SC2086  # words are meant to be split
sh "$here/install-system-packages.sh" $packages || for package in $packages; do
    sh "$here/install-system-packages.sh" "$package" || echo "not to be had: $package" >&2
done
mkdir -p "$folder"
# shellcheck disable=SC2086
sh "$here/unpack-packages.sh" "$folder/tree" $unpacked
cd "$folder"
if [ ! -e py/installed ]; then
    python3 -m venv py
    # shellcheck disable=SC2086
    py/bin/python -m pip install --quiet --disable-pip-version-check $pypi && touch py/installed
fi
if [ ! -e node/node_modules ] && command -v npm >/dev/null; then
    mkdir -p node
    # shellcheck disable=SC2086
    (cd node && npm install --silent --no-audit --no-fund $npm) || echo "not to be had: $npm" >&2
fi
