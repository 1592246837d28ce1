"""The closed vocabulary of what machines are heard to say of themselves: field names, ``protocol.field``.

Fingerprints match on these, the inventory keeps them with when they were heard, and a host's names are some.
"""

from __future__ import annotations

NAMES = frozenset(
    {
        "dhcp.host_name",  # RFC 2132 3.14
        "dhcp.fqdn",  # RFC 4702
        "dhcp6.fqdn",  # RFC 4704
        "mdns.host",  # RFC 6762: the owner of an address record, without the dot at its end
        "mdns.instance",  # RFC 6763 4.1.1: how a service calls itself
        "nbns.name",  # RFC 1002 4.2: registered, refreshed or answered for
        "browser.name",  # [MS-BRWS] 2.2.1: host announcement
        "llmnr.name",  # RFC 4795: what it answers for
        "smb.name",  # [MS-NLMP] 2.2.1: the workstation or the server in NTLM messages
        "lldp.name",  # IEEE 802.1AB 8.5.6
        "cdp.name",  # device id
        "ssdp.name",  # UPnP Device Architecture 2.0, 1.3.2: CPFN.UPNP.ORG
        "wsd.name",  # ONVIF Core Specification 7.3.2.2: scopes
        "smtp.client_name",  # RFC 5321 4.1.1.1
    }
)
"""What a machine is called; shown as the host's names, each with its source."""

CLIENT = frozenset(
    {
        "http.user_agent",
        "mail.user_agent",  # User-Agent line of a message
        "mail.x_mailer",
        "eas.device_type",
        "eas.device_id",
        "eas.user_agent",
        "imap.id",  # RFC 2971: name and version that the client gave
        "smtp.manner",  # how a client speaks: see ``protocols.smtp_manner``
        "tls.ja4",
    }
)
"""What a conversation tells of the one that opened it."""

SERVER = frozenset(
    {
        "smtp.banner",
        "imap.banner",
        "pop3.banner",
        "http.server",  # RFC 9110 10.2.4
        "http.realm",  # RFC 9110 11.5, devices put their model there
        "http.title",
        "tls.certificate",
    }
)
"""What a conversation tells of the one that answered."""

MACHINE = frozenset(
    {
        "dhcp.vendor_class",  # RFC 2132 9.13
        "dhcp.parameters",  # RFC 2132 9.8: option numbers with commas, in their order
        "dhcp6.vendor_class",  # RFC 8415 21.16
        "mdns.service",  # RFC 6763 4.1.2: ``_ipp._tcp``
        "mdns.ty",  # TXT of printers (Bonjour Printing 1.2.1)
        "mdns.product",
        "mdns.usb_mfg",
        "mdns.usb_mdl",
        "mdns.note",  # where it stands
        "mdns.model",  # ``_device-info._tcp``; of a NAS ``_http._tcp``
        "mdns.vendor",  # TXT of a NAS's ``_http._tcp``
        "nbns.group",  # workgroup or domain
        "nbns.mac",  # RFC 1002 4.2.18: the unit id in a node status, through routers too
        "browser.comment",
        "browser.version",
        "ssdp.server",
        "ssdp.type",  # NT or ST
        "wsd.types",
        "wsd.model",
        "wsd.vendor",
        "wsd.location",  # ONVIF, as wsd.name
        "lldp.description",
        "lldp.capabilities",  # those enabled, with commas: IEEE 802.1AB 8.5.8
        "lldp.manufacturer",  # ANSI/TIA-1057 10.2.6
        "lldp.model",
        "cdp.platform",
        "cdp.version",
        "smb.domain",
        "smb.version",  # [MS-NLMP] 2.2.2.10: major.minor.build
    }
)
"""What a machine announces of itself."""
FORWARDS = "link.forwards"
"""Seen of a router: an address whose packets carried its MAC while DHCP had lent it to another."""

FIELDS = NAMES | CLIENT | SERVER | MACHINE | {FORWARDS}
PLACE = "mdns.note"
"""Where the machine stands, in words of its owner."""
