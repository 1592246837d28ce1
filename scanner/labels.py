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
        "upnp.name",  # UPnP Device Architecture 2.0, 2.3: friendlyName
        "ipp.name",  # RFC 8011 5.4.4: printer-name
        "snmp.name",  # RFC 3418 2: sysName
        "smtp.client_name",  # RFC 5321 4.1.1.1
        "ntlm.host",  # [MS-NLMP] 2.2.2.1: a server, as smb.name
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
        "http.exchange",  # X-OWA-Version or X-FEServer with its value: what answers is Exchange
        "imap.server_id",  # RFC 2971: name and version that the server gave
        "ntlm.host",  # [MS-NLMP] 2.2.1.2: the server's challenge, by DNS, else by NetBIOS
        "ntlm.domain",
        "ntlm.version",  # [MS-NLMP] 2.2.2.10: major.minor.build
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
        "upnp.vendor",  # UPnP Device Architecture 2.0, 2.3: manufacturer
        "upnp.model",
        "upnp.description",  # modelDescription
        "ipp.make_and_model",  # RFC 8011 5.4.9
        "ipp.info",  # RFC 8011 5.4.6
        "ipp.location",  # RFC 8011 5.4.5
        "ipp.device_id",  # PWG 5107.2 3: maker and model of it
        "snmp.description",  # RFC 3418 2: sysDescr
        "snmp.device",  # RFC 2790 4.2: hrDeviceDescr
        "snmp.printer",  # RFC 3805 6: prtGeneralPrinterName
        "pjl.id",  # INFO ID
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
"""What a machine announces of itself, or answers when it is asked."""
FORWARDS = "link.forwards"
"""Seen of a router: an address whose packets carried its MAC while DHCP had lent it to another."""

FIELDS = NAMES | CLIENT | SERVER | MACHINE | {FORWARDS}
PLACES = frozenset({"mdns.note", "ipp.location"})
"""Where the machine stands, in words of its owner."""
