"""The classic capture format (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from scanner.capture.walk import LARGEST_PACKET, RecordForm, walk
from scanner.capture.window import PACKETS, Corrupt, Window
from scanner.wire.batch import Batch, Bytes, Ints

FILE_HEADER = 24

_FORMS = {0xA1B2C3D4: (16, 1000), 0xA1B23C4D: (16, 1), 0xA1B2CD34: (24, 1000)}
"""Magic number: bytes of a record header, nanoseconds in a unit of its fraction."""

MAGICS = {struct.pack(order + "I", magic): (order, *form) for magic, form in _FORMS.items() for order in "<>"}


def read_pcap(window: Window, capture: str | None) -> Iterator[Batch]:
    """Give the batches of a window at a file header's first byte; ``Corrupt`` where it cannot go on."""
    while window.end - window.begin < FILE_HEADER:
        if not window.grow():
            raise Corrupt(window.origin + window.begin, "ends within the file header")
    head = window.buffer[window.begin : window.begin + FILE_HEADER].tobytes()
    order, header, unit_ns = MAGICS[head[:4]]
    link = struct.unpack_from(order + "I", head, 20)[0] & 0xFFFF
    form = RecordForm(order, header)
    window.begin += FILE_HEADER
    while True:
        walked = walk(window.buffer, window.begin, window.end, form)
        if len(walked.records):
            window.begin = walked.end
            for at in range(0, len(walked.records), PACKETS):
                records = walked.records[at : at + PACKETS]
                first, behind = int(records[0]), walked.records[at + PACKETS : at + PACKETS + 1]
                block = window.buffer[first : int(behind[0]) if len(behind) else walked.end]
                yield _batch(block, records - first, form, unit_ns, link, capture)
        if walked.corrupt:
            why = f"record claims more than {LARGEST_PACKET} captured bytes"
            raise Corrupt(window.origin + window.begin, why)
        if not window.grow():
            break
    if window.begin < window.end:
        raise Corrupt(window.origin + window.begin, "the last packet is cut off")


def _batch(
    block: Bytes, records: Ints, form: RecordForm, unit_ns: int, link: int, capture: str | None
) -> Batch:
    """Read the record headers of a block that ends with its last record."""
    rows = np.ndarray((len(block) - 15,), dtype="V16", buffer=block, strides=(1,))[records]
    words = rows.view(form.order + "u4").reshape(-1, 4)
    seconds, fraction, captured, length = words.T.astype(np.int64, order="C")
    return Batch(
        buffer=block,
        start=records + form.header,
        captured=captured,
        length=np.maximum(length, captured),
        at=seconds * 1_000_000_000 + fraction * unit_ns,
        link=link,
        capture=capture,
    )
