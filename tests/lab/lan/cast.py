"""Who is on the LAN, what each machine says of itself, and what mail it sends through whom.

The office is 10.32.0.0/24; behind ``router`` is an annex, 10.32.8.0/24. Prefixes of MACs are real makers',
the rest is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

EXCHANGE = {
    "smtp.office365.com": "52.96.0.10",
    "outlook.office365.com": "52.97.0.10",
    "example-com.mail.protection.outlook.com": "52.101.0.10",
}
"""Addresses of its prefixes, which nothing outside of the namespaces ever hears of."""
PREFIX = "fd00:32::"
GATEWAY, RESOLVER, RELAY, DEPOT, ROUTER = "10.32.0.1", "10.32.0.53", "10.32.0.25", "10.32.0.26", "10.32.0.254"
ANNEX = "10.32.8.1"
"""The router's address on its other side."""
NAMES = {**EXCHANGE, "relay.example.com": RELAY, "depot.example.com": DEPOT}
SECRET = "sample-secret-"
"""What every password begins with."""
TO = "ann@example.com"
SWAKS = (
    *("swaks", "--to", TO, "--from", "{name}@example.com", "--ehlo", "{called}", "--timeout", "10"),
    *("--data", r"From: %FROM_ADDRESS%\nTo: %TO_ADDRESS%\nSubject: scan\n\nscan\n"),
)
"""Without the line that names swaks: devices are what it stands for."""
IN_CLEAR = ("--auth", "LOGIN", "--auth-user", "{name}@example.com", "--auth-password", f"{SECRET}{{name}}")
PYTHON = """
import smtplib, sys
name, source = sys.argv[1:]
with smtplib.SMTP("relay.example.com", 25, name, 10, (source, 0)) as client:
    client.sendmail(name + "@example.com", ["ann@example.com"], b"Subject: job done\\r\\n\\r\\nok\\r\\n")
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """How a machine asks for an address."""

    program: str
    """``dhclient`` or ``udhcpc``."""
    host_name: str
    vendor_class: str | None = None
    fqdn: str | None = None
    also_six: bool = False
    """It asks for an IPv6 address too (RFC 8415)."""
    wishes: tuple[str, ...] = ("",)
    """Addresses that it asks for, one lease after the other; empty: any."""


@dataclass(frozen=True, slots=True)
class Printer:
    """What a printer announces (Bonjour Printing 1.2.1)."""

    host: str
    maker: str
    model: str
    place: str

    @property
    def instance(self) -> str:
        return f"{self.maker} {self.model} ({self.host})"

    @property
    def text(self) -> dict[str, str]:
        """The TXT record, keys in the order in which printers send them."""
        return {
            "txtvers": "1",
            "qtotal": "1",
            "rp": "ipp/print",
            "ty": f"{self.maker} {self.model}",
            "product": f"({self.maker} {self.model})",
            "note": self.place,
            "usb_MFG": self.maker,
            "usb_MDL": self.model,
            "pdl": "application/octet-stream,application/pdf,image/urf",
            "Color": "T",
        }


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine."""

    name: str
    mac: str
    addresses: tuple[str, ...] = ()
    """Given by hand; none: by DHCP."""
    lease: Lease | None = None
    printer: Printer | None = None
    mail: tuple[str, ...] = ()
    """The program that sends, once for each lease or address."""
    called: str = ""
    """The name in its EHLO."""
    mails_through: tuple[str, ...] = ()
    """Relays, nearest first, that must have sent it on."""
    in_annex: bool = False
    after: str = ""
    """Whose day must be over."""


GIVEN = (
    Machine("gateway", "00:1b:54:0a:0c:01", (GATEWAY, *EXCHANGE.values())),
    Machine("resolver", "00:15:5d:0a:0c:35", (RESOLVER,)),
    Machine("relay", "00:0c:29:0a:0c:19", (RELAY,)),
    Machine("depot", "dc:a6:32:0a:0c:1a", (DEPOT,)),
    Machine("router", "00:0c:42:0a:0c:fe", (ROUTER,)),
)
"""What the network is made of."""
OTHERS = (
    Machine(
        "copier", "00:26:73:0a:0c:11",
        lease=Lease("dhclient", "RNP0026730A0C11", "RICOH MFP"),
        printer=Printer("RNP0026730A0C11", "RICOH", "MP C3004", "Third floor, by the stairs"),
        mail=(*SWAKS, "--server", "depot.example.com"),
        called="RNP0026730A0C11", mails_through=("depot", "relay"),
    ),
    Machine(
        "laserjet", "3c:d9:2b:0a:0c:12",
        lease=Lease("udhcpc", "NPI0A0C12", "Hewlett-Packard JetDirect"),
        printer=Printer("NPI0A0C12", "HP", "LaserJet MFP M428fdw", "Reception"),
        mail=("msmtp", "--file=/dev/null", "--host=relay.example.com", "--domain={called}", "--timeout=10",
              "--from={name}@example.com", TO),
        called="NPI0A0C12", mails_through=("relay",),
    ),
    Machine(
        "kyocera", "00:c0:ee:0a:0c:13",
        lease=Lease("dhclient", "KM0A0C13", "KYOCERA Printer"),
        printer=Printer("KM0A0C13", "Kyocera", "ECOSYS M5526cdw", "Warehouse"),
        mail=(*SWAKS, "--server", "smtp.office365.com:587", *IN_CLEAR),
        called="KM0A0C13",
    ),
    Machine(
        "brother", "00:80:77:0a:0c:14",
        lease=Lease("udhcpc", "BRN0080770A0C14", wishes=("10.32.0.201", "10.32.0.202")),
        mail=(*SWAKS, "--server", "relay.example.com"),
        called="BRN0080770A0C14", mails_through=("relay",),
    ),
    Machine(
        "epson", "00:26:ab:0a:0c:19", after="brother",
        lease=Lease("udhcpc", "EPSON0A0C19", wishes=("10.32.0.201",)),
        mail=(*SWAKS, "--server", "relay.example.com"),
        called="EPSON0A0C19", mails_through=("relay",),
    ),
    Machine(
        "nas", "00:11:32:0a:0c:15",
        lease=Lease("dhclient", "nas01", fqdn="nas01.example.com", also_six=True),
        mail=("{python}", "-c", PYTHON, "{called}", "{source}"),
        called="nas01", mails_through=("relay",),
    ),
    Machine(
        "monitor", "00:50:56:0a:0c:16", ("10.32.0.40",),
        mail=("curl", "-sS", "smtp://relay.example.com/{called}", "--mail-from", "{name}@example.com",
              "--mail-rcpt", TO, "--upload-file", "-"),
        called="monitor", mails_through=("relay",),
    ),
    Machine(
        "phone", "6a:1f:7e:0a:0c:17",
        lease=Lease("dhclient", "Galaxy-S21", "android-dhcp-13"),
        mail=("curl", "-sS", "-X", "POST", "-A", "Android-SAMSUNG-SM-G991B/101.13", "-H",
              "MS-ASProtocolVersion: 14.1", "-u", f"{{name}}@example.com:{SECRET}{{name}}", "--data", "x",
              "http://outlook.office365.com/Microsoft-Server-ActiveSync"
              "?Cmd=Sync&User=ann@example.com&DeviceId=SEC1A2B3C4D5E6F7&DeviceType=SamsungDevice"),
    ),
    Machine(
        "bizhub", "00:20:6b:0a:0c:18", in_annex=True,
        lease=Lease("dhclient", "KMBT0A0C18", "KONICA MINOLTA bizhub"),
        mail=(*SWAKS, "--server", "smtp.office365.com:587", *IN_CLEAR),
        called="KMBT0A0C18",
    ),
    Machine(
        "tills", "00:1e:8c:0a:0c:20", tuple(f"10.32.8.{number}" for number in range(21, 25)), in_annex=True,
        mail=("{python}", "-c", PYTHON, "{called}", "{source}"),
        called="till", mails_through=("relay",),
    ),
)  # fmt: skip
"""What is connected to it."""
MACHINES = GIVEN + OTHERS
