"""What tells devices beside their pages: an SNMP agent, and a printer with IPP that mDNS announces."""

from __future__ import annotations

import os

from lan.network import wait
from stage.servers import Running

from subnet.cast import ADDRESS, ALONE, BROTHER, HOST, MODEL
from subnet.network import within

SNMPD = f"""
sysDescr {MODEL} 1.13 / RICOH Network Printer C model / RICOH Network Scanner C model
sysName RNP002673007720
rocommunity public
"""
DBUS = """
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow eavesdrop="true"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
AVAHI = """
[server]
host-name={host}
use-ipv6=no
[wide-area]
enable-wide-area=no
"""


def start_snmpd(servers: Running) -> None:
    """Let the copier have an agent."""
    settings = servers.folder / "snmpd.conf"
    settings.write_text(SNMPD)
    servers.add(
        "/usr/sbin/snmpd", "-f", "-a", "-Lf", str(servers.folder / "snmpd.log"), "-C", "-c", str(settings),
        "-I", "-smux", "-p", str(servers.folder / "snmpd.pid"), f"udp:{ADDRESS['copier']}:161",
        env={"SNMP_PERSISTENT_DIR": str(servers.folder), "MIBS": ""},
    )  # fmt: skip


def start_printer(servers: Running) -> None:
    """Let the printer speak IPP; it does not start without Avahi, nor that without D-Bus."""
    folder, (maker, model) = servers.folder, BROTHER
    socket, spool = folder / "dbus", folder / "spool"
    spool.mkdir()
    (folder / "dbus.conf").write_text(DBUS.format(socket=socket))
    (folder / "avahi.conf").write_text(AVAHI.format(host=HOST))
    bus = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}
    servers.add("dbus-daemon", f"--config-file={folder}/dbus.conf", "--nofork")
    wait("D-Bus", socket.exists)
    log = folder / "avahi.log"
    with log.open("wb") as told:
        avahi = (
            "avahi-daemon",
            "-f",
            f"{folder}/avahi.conf",
            "--no-drop-root",
            "--no-chroot",
            "--no-rlimits",
        )
        servers.add(*within(ALONE, *avahi), env=bus, stderr=told)
    wait("Avahi", lambda: b"Server startup complete" in log.read_bytes())
    words = ("-p", "631", "-n", f"{HOST}.local", "-M", maker, "-m", model, "-d", str(spool))
    servers.add(*within(ALONE, "/usr/sbin/ippeveprinter", *words, " ".join(BROTHER)), env=bus)
