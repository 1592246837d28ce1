"""Captures dissected by tshark, by way of pyshark: packets as they come, none of them kept.

pyshark's limits that are met here: it takes over the process's event loop and child watcher unless it is
given a loop; it kills a tshark that has just finished, so its exit status is lost; it waits for ever for one
whose output nobody reads; and it takes 60 ms to import, so this module is imported by those only who need it.
tshark's own memory grows with the connections of a capture; ours does not.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import Process
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pyshark.capture.file_capture import FileCapture

from scanner.capture import UnreadableCapture
from scanner.capture.file import CaptureFile
from scanner.capture.wireshark import nanoseconds
from scanner.conversation import Endpoint
from scanner.dissection import Dissected, Layer, Told
from scanner.dissection.fields import SHOWN, TEXT_LENGTH, WANTED, cut
from scanner.events import Answer
from scanner.net import canonical

ENDING_S = 10
"""Longest that a tshark that has closed its output may take to end; then it is killed."""
BUFFER = 1 << 20
"""Bytes of unwanted output read at a time."""
LOWER = ("eth", "sll", "ip", "ipv6", "tcp", "udp", "gss-api", "spnego", "ntlmssp", "x509af", "x509ce")
"""Protocols that are printed besides those of ``WANTED``; the rest would only be read past."""
FILTER = "(tcp && (tcp.len > 0 || tcp.flags.syn == 1 || tcp.flags.fin == 1 || tcp.flags.reset == 1))"
FILTER += " || (dns.flags.response == 1 && (dns.a || dns.aaaa))"
"""Bare acknowledgements tell nothing that the next segment does not tell."""
PREFERENCES = {
    "tcp.reassemble_out_of_order": "TRUE",  # behind a hole it then says nothing, rather than any order
    "smtp.decryption": "TRUE",  # it means base64: a user's name is read by tshark, not by us
    "tcp.relative_sequence_numbers": "TRUE",
    "http.desegment_body": "FALSE",  # else a page that was not seen to its end has no status
}
NO_CARD, NO_ADDRESS = "00:00:00:00:00:00", "0.0.0.0"
DECODE_AS = {"tcp.port==2525": "smtp"}
"""The customary second submission port, which tshark has not."""


class _Capture(FileCapture):  # type: ignore[misc]
    """A capture that waits for its tshark, and so learns whether it could read all."""

    status: int | None = None

    async def _cleanup_subprocess(self, process: Process) -> None:
        if not self._eof_reached and process.returncode is None:
            process.kill()
        with suppress(TimeoutError):
            await asyncio.wait_for(_drained(process), ENDING_S)
        if process.returncode is None:
            process.kill()
        self.status = process.returncode if self._eof_reached else None

    @property
    def last_words(self) -> str:
        """What tshark said last on its way out."""
        return self._last_error_line or ""


async def _drained(process: Process) -> None:
    """Wait for a process's end; asyncio sees none while there is output that nobody reads."""
    while process.stdout and await process.stdout.read(BUFFER):
        pass
    await process.wait()


def dissect(path: str, tshark: str) -> Iterator[Told]:
    """Yield what tshark tells of a capture, packet by packet. Raises UnreadableCapture behind the last."""
    if not os.path.isfile(path):
        raise UnreadableCapture(path, 0, "tshark reads files only: no pipes, no standard input")
    with CaptureFile(path) as file:  # tshark takes a text, a picture and much else for a capture
        if not file.recognised():
            raise UnreadableCapture(path, 0, "is neither a pcap nor a pcapng file")
    loop = asyncio.new_event_loop()
    capture = _Capture(
        path,
        keep_packets=False,
        display_filter=FILTER,
        tshark_path=tshark,
        eventloop=loop,
        override_prefs=PREFERENCES,
        decode_as=DECODE_AS,
        custom_parameters=["-J", " ".join((*LOWER, *WANTED))],
    )
    try:
        for packet in capture:
            yield from _told(packet)
    finally:
        capture.close()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    if capture.status:
        raise UnreadableCapture(path, os.path.getsize(path), _why(capture.last_words, path))


def _why(words: str, path: str) -> str:
    """tshark's complaint without what we say already."""
    text = words.removeprefix("tshark: ").replace(f'"{path}"', "it")[:TEXT_LENGTH]
    return f"tshark could not read on: {text}" if text else "tshark could not read on"


def _told(packet: Any) -> Iterator[Told]:
    """What a packet is to us; nothing if it is neither a segment nor an answer."""
    below: dict[str, Any] = {}
    layers: list[Layer] = []
    for layer in packet.layers:
        if layer.layer_name in WANTED:
            layers.append(Layer(layer.layer_name, tuple(cut(layer.layer_name, _fields(layer)))))
        elif "tcp" not in below:
            below[layer.layer_name] = layer
    # The innermost network counts, but one that occurs twice stands where it stood first.
    network = next((below[name] for name in reversed(below) if name in ("ip", "ipv6")), None)
    if "tcp" not in below:
        yield from _answers(layers)
    elif network is not None:
        tcp, name = below["tcp"], network.layer_name
        stream, sequence, acknowledged, length, flags, source, target = (
            int(_text(tcp, f"tcp.{key}") or "0", 0)
            for key in ("stream", "seq", "ack", "len", "flags", "srcport", "dstport")
        )
        yield Dissected(
            stream,
            nanoseconds(packet.sniff_timestamp),
            Endpoint(canonical(_text(network, f"{name}.src") or NO_ADDRESS), source),
            Endpoint(canonical(_text(network, f"{name}.dst") or NO_ADDRESS), target),
            _mac(below, "eth.src", "sll.src.eth"),
            _mac(below, "eth.dst"),
            flags & 0xFF,
            sequence,
            acknowledged,
            length,
            tuple(layers),
        )


def _mac(below: dict[str, Any], *names: str) -> str | None:
    """The card that a frame names; none on a loopback."""
    for name in names:
        layer = below.get(name.partition(".")[0])
        mac = _text(layer, name) if layer is not None else None
        if mac and mac != NO_CARD:
            return mac
    return None


def _fields(layer: Any) -> list[tuple[str, str]]:
    """The wanted fields of a layer in the order of their place; what has no text is read from its bytes."""
    wanted = WANTED[layer.layer_name]
    present = set(layer.field_names)
    prefix = f"{layer.layer_name}."
    found: list[tuple[int, str, str]] = []
    for name in wanted:
        short = name.replace(prefix, "").replace(".", "_").replace("-", "_").lower()
        if short in present:
            for field in layer.get_field(name).all_fields:
                text = field.showname if name in SHOWN else field.show or _spelt(field.raw_value)
                found.append((int(field.pos or 0), name, text or ""))
    found.sort(key=lambda one: one[0])
    return [(name, text) for _, name, text in found]


def _spelt(raw: str | None) -> str:
    """Text of bytes in hexadecimal."""
    try:
        return bytes.fromhex(raw or "").decode("utf-8", "replace").strip()
    except ValueError:
        return ""


def _answers(layers: list[Layer]) -> Iterator[Answer]:
    for layer in layers:
        name = layer.first("dns.qry.name")
        if layer.name == "dns" and name:
            for address in (*layer.all("dns.a"), *layer.all("dns.aaaa")):
                yield Answer(name.lower().rstrip("."), canonical(address))


def _text(layer: Any, name: str) -> str | None:
    field = layer.get_field(name)
    return None if field is None else str(field)
