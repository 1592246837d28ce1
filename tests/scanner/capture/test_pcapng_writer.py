"""What is kept reads like the original, nobody's file is harmed, and no full disk stops the capture."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from packets import BEGAN, C, Connection, S, batch, pcap

from scanner.capture import UnreadableCapture
from scanner.capture.file import CaptureFile
from scanner.capture.pcapng_writer import MOST_BYTES, MOST_FILES, PcapngWriter
from scanner.catalogue.exchange import load_catalogue
from scanner.model import Observation, Sighting
from scanner.pipeline import Gatherer, Pipeline
from scanner.wire.batch import Batch, Ints, LinkType
from scanner.wire.interest import Interest

ROOT = Path(__file__).parents[3]
CATALOGUE = load_catalogue()
FEW = 15
"""Packets of a batch that hardly holds one conversation."""
Heard = tuple[list[Observation], set[Sighting]]


def pieces(path: Path, size: int) -> Iterator[Batch]:
    with CaptureFile(str(path)) as capture:
        for one in capture:
            for at in range(0, len(one.at), size):
                part = slice(at, at + size)
                yield replace(
                    one, start=one.start[part], captured=one.captured[part], length=one.length[part],
                    at=one.at[part],
                )  # fmt: skip


def heard(paths: list[Path]) -> Heard:
    pipeline = Pipeline(CATALOGUE, "here")
    seen: list[Observation] = []
    told: set[Sighting] = set()
    for path in paths:
        with CaptureFile(str(path)) as capture:
            bench = pipeline.bench("x", lambda found, sightings: (found, sightings))
            for found, sightings in pipeline.run(capture, bench):
                seen += found
                told.update(sightings)
    return sorted(seen, key=lambda one: (one.first_seen, one.client_port)), told


def packets(path: Path) -> list[tuple[bytes, int, int]]:
    """Bytes, length on the wire and time of each."""
    found = []
    with CaptureFile(str(path)) as capture:
        for one in capture:
            columns = (one.start, one.captured, one.length, one.at)
            rows = zip(*(column.tolist() for column in columns), strict=True)
            found += [(one.buffer[at : at + size].tobytes(), length, time) for at, size, length, time in rows]
    return found


def every(one: Batch) -> Ints:
    return np.arange(len(one.at))


def spoken(count: int, size: int = 400) -> Batch:
    return batch(Connection().say(*[(S, bytes(size))] * count).packets)


class Folder:
    """Where files are written, what was said, and a clock that stands."""

    def __init__(self, path: Path) -> None:
        self.path = path / "mail.pcapng"
        self.said: list[str] = []
        self.now = 0.0

    def writer(self, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES) -> PcapngWriter:
        return PcapngWriter(str(self.path), self.said.append, most_bytes, most_files, lambda: self.now)

    def files(self) -> list[Path]:
        return sorted(self.path.parent.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def kept(folder: Folder, original: Path, size: int) -> Path:
    """What is kept of a capture that comes in batches of so many packets."""
    writer = folder.writer()
    gatherer = Gatherer(Interest(CATALOGUE.mail_ports, CATALOGUE.prefixes), keep=writer.write)
    for one in pieces(original, size):
        for _ in gatherer.gather(one):
            pass
    writer.close()
    return folder.files()[0]


@pytest.mark.parametrize("size", [FEW, 1 << 14])
@pytest.mark.parametrize("name", ["office.pcapng", "lan.pcapng"])
def test_the_same_is_told_of_what_was_kept(folder: Folder, name: str, size: int) -> None:
    original = ROOT / "captures" / name
    path = kept(folder, original, size)
    assert path.stat().st_size < original.stat().st_size
    expected = heard([original])
    assert expected[0]
    assert heard([path]) == expected


def test_mail_on_another_port_is_kept_from_its_first_packet_on(folder: Folder, tmp_path: Path) -> None:
    talk = (
        (S, b"220 mx.example.com ESMTP\r\n"),
        (C, b"EHLO copier\r\n"),
        (S, b"250 HELP\r\n"),
        (C, b"QUIT\r\n"),
    )
    connection = Connection(server=("192.0.2.1", 9999)).open().say(*talk, (S, b"221 bye\r\n")).close()
    (tmp_path / "other").mkdir()
    original = tmp_path / "other" / "original.pcap"
    original.write_bytes(pcap(connection.packets))
    folder.path = tmp_path / "other" / "mail.pcapng"
    expected = heard([original])
    assert [seen.client_name for seen in expected[0]] == ["copier"]
    assert heard([kept(folder, original, 1)]) == expected


def test_tshark_reads_lengths_times_tags_and_interfaces(folder: Folder) -> None:
    tshark = shutil.which("tshark")
    assert tshark, "see tests/install-system-packages.sh"
    one = replace(spoken(3, 7), capture="eth1", tag=np.array([-1, 0x6005, 0]))
    one = replace(one, captured=one.captured - 2, at=BEGAN + np.array([1, 2, 3]))
    writer = folder.writer()
    writer.write(one, every(one))
    writer.write(replace(one, capture="eth2"), np.array([2]))
    writer.close()
    (path,) = folder.files()
    fields = ["time_epoch", "len", "cap_len", "interface_name"]
    command = [tshark, "-r", str(path), "-T", "fields", "-E", "separator=,"]
    command += [part for field in fields for part in ("-e", f"frame.{field}")]
    done = subprocess.run(
        [*command, "-e", "vlan.id", "-e", "vlan.priority"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "1790000000.000000001,61,59,eth1,,",
        "1790000000.000000002,65,63,eth1,5,3",
        "1790000000.000000003,65,63,eth1,0,0",
        "1790000000.000000003,65,63,eth2,0,0",
    ]


def test_a_tag_stands_where_it_stood(folder: Folder) -> None:
    one = replace(spoken(2), tag=np.array([-1, 0x2064]))
    plain = [one.buffer[at : at + size].tobytes() for at, size in zip(one.start, one.captured, strict=True)]
    cooked, cut = replace(one, link=LinkType.LINUX_SLL), replace(one, captured=np.array([11, 11]))
    writer = folder.writer()
    for its in (one, cooked, cut):
        writer.write(its, every(its))
    writer.close()
    found = [data for data, _, _ in packets(folder.files()[0])]
    assert found[:2] == [plain[0], plain[1][:12] + b"\x81\0\x20\x64" + plain[1][12:]]
    assert found[2:] == [*plain, plain[0][:11], plain[1][:11]]


def test_only_the_packets_asked_for_are_written_whole(folder: Folder) -> None:
    one = spoken(9, 5)
    writer = folder.writer()
    writer.write(one, np.array([], np.int64))
    writer.write(one, np.array([2, 7]))
    writer.close()
    whole = one.buffer.reshape(9, -1)
    assert packets(folder.files()[0]) == [
        (whole[row].tobytes(), 59, BEGAN + (row + 1) * 1_000_000) for row in (2, 7)
    ]


def test_only_the_owner_may_read(folder: Folder) -> None:
    mask = os.umask(0)
    try:
        writer = folder.writer(most_bytes=1)
        for _ in range(2):
            writer.write(spoken(1), np.array([0]))
    finally:
        os.umask(mask)
    writer.close()
    assert [path.stat().st_mode & 0o777 for path in folder.files()] == [0o600, 0o600]


def test_a_file_that_is_full_makes_room_for_the_next_and_the_newest_stay(folder: Folder) -> None:
    one = spoken(10)
    for _ in range(2):  # a sensor that was started again goes on
        writer = folder.writer(most_bytes=10_000, most_files=3)
        for _ in range(8):
            writer.write(one, every(one))
        writer.close()
    assert [path.name for path in folder.files()] == [f"mail.{number:05}.pcapng" for number in (4, 5, 6)]
    assert [len(packets(path)) for path in folder.files()] == [30, 30, 20]
    assert all(path.stat().st_size < 10_000 + 10 * 500 for path in folder.files())


def test_what_others_wrote_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    theirs = [tmp_path / name for name in ("mail.pcapng", "mail.00001.pcapng", "mail.7.pcapng")]
    for path in theirs:
        path.write_bytes(b"theirs")
    (tmp_path / "mail.00003.pcapng").symlink_to(tmp_path / "mail.pcapng")
    (tmp_path / "mail.00004.pcapng").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "mail.00005.pcapng")
    before = set(folder.files())
    writer = folder.writer(most_bytes=1, most_files=1)
    for _ in range(3):
        writer.write(spoken(1), np.array([0]))
    writer.close()
    assert {path.read_bytes() for path in theirs} == {b"theirs"}
    assert set(folder.files()) - before == {tmp_path / "mail.00008.pcapng"}
    assert before < set(folder.files())


def test_a_link_to_a_file_of_ours_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    writer = folder.writer(most_bytes=1, most_files=1)
    writer.write(spoken(1), np.array([0]))
    (tmp_path / "mail.00000.pcapng").symlink_to(folder.files()[-1])
    writer.write(spoken(1), np.array([0]))
    writer.close()
    assert [path.name for path in folder.files()] == ["mail.00000.pcapng", "mail.00002.pcapng"]


def test_a_file_without_packets_does_not_stay(folder: Folder) -> None:
    writer = folder.writer()
    assert len(folder.files()) == 1
    writer.close()
    writer.close()
    assert folder.files() == []


def test_what_a_kill_cut_off_is_read_as_far_as_it_goes(folder: Folder, tmp_path: Path) -> None:
    one = spoken(3, 50)
    writer = folder.writer()
    writer.write(one, every(one))  # nothing waits to be flushed
    (path,) = folder.files()
    data, cut = path.read_bytes(), tmp_path / "cut.pcapng"
    tshark = shutil.which("tshark")
    assert tshark, "see tests/install-system-packages.sh"
    for missing in (1, 70, 130):
        cut.write_bytes(data[:-missing])
        found: list[int] = []
        with CaptureFile(str(cut)) as capture, pytest.raises(UnreadableCapture, match="cut off"):
            found.extend(len(one.at) for one in capture)
        assert sum(found) == 2
        done = subprocess.run([tshark, "-r", str(cut)], capture_output=True, text=True, check=False)
        assert len(done.stdout.splitlines()) == 2
    writer.close()


def test_a_folder_that_goes_is_told_once_and_written_to_when_it_is_back(folder: Folder) -> None:
    folder.path = folder.path.parent / "gone" / "mail.pcapng"
    with pytest.raises(FileNotFoundError):
        folder.writer()
    folder.path.parent.mkdir()
    writer = folder.writer()
    writer.write(spoken(1), np.array([0]))
    shutil.rmtree(folder.path.parent)
    for _ in range(3):
        writer.write(spoken(2), np.array([0, 1]))
        folder.now += 20
    assert (len(folder.said), writer.missed) == (1, 6)
    assert "No such file or directory" in folder.said[0]
    folder.path.parent.mkdir()
    writer.write(spoken(1), np.array([0]))
    assert writer.missed == 7
    folder.now += 20
    writer.write(spoken(1), np.array([0]))
    writer.close()
    assert folder.said[1:] == [f"{folder.path}: written again; 7 packets were not kept so far"]
    assert len(packets(folder.files()[0])) == 1


def test_a_file_that_somebody_removed_is_followed_by_another(folder: Folder) -> None:
    writer = folder.writer()
    writer.write(spoken(1), np.array([0]))
    folder.files()[0].unlink()
    writer.write(spoken(2), np.array([0, 1]))
    writer.close()
    assert (folder.said, [len(packets(path)) for path in folder.files()]) == ([], [2])


FILLED = """
import os, sys
import numpy as np
from pathlib import Path
from test_pcapng_writer import Folder, packets, spoken, every
folder = Folder(Path(sys.argv[1]))
filler = folder.path.with_name("filler")
filler.write_bytes(bytes(100_000))
one = spoken(50, 900)
writer = folder.writer(most_bytes=100_000)
for _ in range(6):
    writer.write(one, every(one))
    folder.now += 20
print(folder.said, writer.missed, [len(packets(path)) for path in folder.files() if path != filler])
filler.unlink()
folder.now += 20
writer.write(one, every(one))
writer.close()
print(folder.said[1:], [len(packets(path)) for path in folder.files()])
"""


def test_a_full_disk_is_told_once_and_what_was_written_stays_whole(tmp_path: Path) -> None:
    inside = 'mount -t tmpfs -o size=240k none "$1" && exec "$0" -c "$2" "$1"'
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)])
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", inside, sys.executable, str(tmp_path), FILLED],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    said = f"{tmp_path}/mail.pcapng: "
    assert done.stdout.splitlines() == [
        f"['{said}No space left on device; packets are not kept until it can be written'] 200 [100]",
        f"['{said}written again; 200 packets were not kept so far'] [100, 50]",
    ], done.stderr
