"""Who is in the subnet: names, and the last number of their addresses and MACs."""

from __future__ import annotations

NETWORK, SCANNED = "10.77.0.0/22", "10.77.0.0/24"
SCANNER = "10.77.0.1"
NUMBERS = {
    "dovecot": 10,  # takes passwords in clear
    "dovecot-strict": 11,  # does not
    "postfix": 20,  # takes logins inside TLS alone
    "postfix-old": 21,  # no TLS, and says AUTH as Outlook Express wanted it
    "postfix-last": 22,  # AUTH is the last line of what it offers
    "relay": 23,  # takes mail from anybody
    "exim": 24,
    "exchange": 25,
    "opensmtpd": 26,
    "web-exchange": 30,  # nginx before Exchange's paths
    "web-ntlm": 31,
    "copier": 32,
    "printer": 33,  # in a namespace of its own: ippeveprinter listens on all addresses
    "camera": 34,
    "tls-1.0": 40,
    "tls-1.1": 41,
    "quiet": 60,  # refuses all
    "excluded": 66,
    "swapped": 99,  # TLS where none comes first, and none where it does
}
ADDRESS = {name: f"10.77.0.{number}" for name, number in NUMBERS.items()}
ADDRESS["swapped"] = "10.77.1.99"  # scanned apart: half a minute passes until that is known
MAC = {name: f"02:00:00:00:77:{number:02x}" for name, number in NUMBERS.items()}
MAC["copier"] = "00:26:73:00:77:20"  # Ricoh's
NETWORK_SIX, DOVECOT_SIX, SCANNER_SIX = "fd00:77::/64", "fd00:77::a", "fd00:77::1"
PRINTER_SIX = "fd00:77::33"  # it does not start without one; nobody gets there
ALONE = "printer"
"""Who has a namespace of its own, which is called so."""
MAILBOX = "postmaster@outside.test"
"""Who may be relayed to; nobody's."""
MODEL = "RICOH MP C3004"
BROTHER = ("Brother", "MFC-L8690CDW")
HOST = "BRW008077772121"
"""What the printer is called."""
NTLM_HOST, NTLM_DOMAIN = "mail01.corp.lab.test", "corp.lab.test"
USER, PASSWORD = "scanner@lab.test", "Zs9-never-said-kQ4x"
"""Known to the servers, and to nobody else."""
