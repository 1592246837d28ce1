"""A file is recognised by what is in it, and nothing that is in it makes reading fail."""

import csv
import io
import json
import os
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.importers.family import Fact, Kind, Rejected, Terms, UnreadableFileError
from scanner.importers.reading import BATCH, Reading
from scanner.tenant import Asset, Mailbox, Sender, SignIn
from tests.scanner.importers.test_lease_files import DNSMASQ, ISC, XML
from tests.scanner.importers.test_sign_ins import PORTAL

MAC = "00:1e:8c:0a:0b:0c"
GRAPH = {
    "id": "r-1", "createdDateTime": "2025-12-04T08:19:41Z", "userPrincipalName": "scan@contoso.com",
    "clientAppUsed": "Authenticated SMTP", "status": {"errorCode": 0, "failureReason": "Other."},
}  # fmt: skip
ANALYTICS = "TimeGenerated [UTC],Id,UserPrincipalName,ClientAppUsed,ResultType,Status"


def table(head: Sequence[str], *rows: dict[str, str], between: str = ",") -> str:
    """CSV with these columns; cells by name."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=between)
    writer.writerow(head)
    writer.writerows([row.get(name, "") for name in head] for row in rows)
    return out.getvalue()


PORTAL_ROW = {
    "Date (UTC)": "2025-12-04T08:19:41Z",
    "Username": "a@b",
    "Client app": "IMAP4",
    "Request ID": "1",
}
SAMPLES = {
    "the portal's table": (Kind.SIGN_INS, 1, table(PORTAL, PORTAL_ROW)),
    "Graph's documents": (Kind.SIGN_INS, 1, json.dumps({"value": [GRAPH]})),
    "the portal's JSON": (Kind.SIGN_INS, 2, json.dumps([GRAPH, GRAPH], indent=2)),
    "Azure's log in storage": (Kind.SIGN_INS, 1, json.dumps({"category": "x", "properties": GRAPH})),
    "Log Analytics": (
        Kind.SIGN_INS, 1, f'{ANALYTICS}\n"12/14/2025, 8:19:41.123 AM",1,a@b,SMTP,0,"{{""errorCode"":0}}"\n',
    ),
    "applications": (
        Kind.SIGN_INS, 0, "Date (UTC),Request ID,Service principal ID\n2025-12-04T08:19:41Z,1,2\n",
    ),
    "steps": (Kind.SIGN_INS, 0, "Request ID,Authentication method,Succeeded\n1,Password,true\n"),
    "senders": (Kind.SENDERS, 1, "Sender address;Domain;TLS 1.2;Messages sent\na@b;b;100;7\n"),
    "mailboxes": (
        Kind.MAILBOXES, 1, '#TYPE x\n"PrimarySmtpAddress","SmtpClientAuthenticationDisabled"\n"a@b",""\n',
    ),
    "Windows' leases": (
        Kind.LEASES, 2, f"IPAddress,ScopeId,ClientId,HostName,AddressState\n10.0.0.1,,{MAC},x,Active\n",
    ),
    "the console's leases": (
        Kind.LEASES, 2,
        "Client IP Address\tName\tLease Expiration\tType\tUnique ID\n"
        "10.0.0.1\tx\t11/30/2026 8:00:00 AM\tDHCP\t001e8c0a0b0c\n",
    ),
    "Kea's leases": (
        Kind.LEASES, 2, f"address,hwaddr,client_id,valid_lifetime,expire,hostname\n10.0.0.1,{MAC},,60,90,x\n",
    ),
    "ISC's leases": (Kind.LEASES, 2, ISC),
    "dnsmasq's leases": (Kind.LEASES, 3, DNSMASQ),
    "Windows' XML": (Kind.LEASES, 2, XML[1:]),
    "assets": (Kind.ASSETS, 1, "Our printers\nName,Room\nx,1\n"),
}  # fmt: skip


def facts(reading: Reading) -> list[Fact]:
    return [fact for batch in reading for fact in batch]


def written(path: Path, text: str | bytes) -> str:
    file = path / "file"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_is_recognised_by_its_content(name: str, encoding: str, tmp_path: Path) -> None:
    kind, count, text = SAMPLES[name]
    reading = Reading(written(tmp_path, text.encode(encoding)))
    assert (reading.family.kind, len(facts(reading)), reading.unknown) == (kind, count, ())
    assert Reading(written(tmp_path, text), kind=kind).family is reading.family


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "Dear Sir,\n", "[]", "{", "<a/>", "\0" * 100, "lease 1 {"]
)
def test_what_is_not_recognised_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        Reading(written(tmp_path, text))


def test_a_kind_that_a_file_is_not_is_told_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="for senders it lacks a column senderaddress"):
        Reading(written(tmp_path, "Name,Room,Messages sent\nx,1,2\n"), kind=Kind.SENDERS)


def test_unknown_columns_are_listed_as_they_are_called(tmp_path: Path) -> None:
    assert Reading(written(tmp_path, "Name,Room,Shoe size ,Colour,Colour,\nx,1,2,,,\n")).unknown == (
        "Shoe size",
        "Colour",
        "Colour",
    )


def test_the_file_s_own_dates_tell_their_order(tmp_path: Path) -> None:
    rows = "".join(f"{number},a@b,SMTP,{number}/12/2025 08:00:00\n" for number in range(1, 15))
    reading = Reading(written(tmp_path, f"Id,UserPrincipalName,ClientAppUsed,CreatedDateTime\n{rows}"))
    times = [one.at for one in facts(reading) if isinstance(one, SignIn)]
    assert times == sorted(times) and times[1] - times[0] == 86_400_000_000_000


def test_dates_that_nothing_tells_apart_are_refused_unless_told(tmp_path: Path) -> None:
    path = written(
        tmp_path, "Id,UserPrincipalName,ClientAppUsed,CreatedDateTime\n1,a@b,SMTP,1/12/2025 08:00\n"
    )
    with pytest.raises(UnreadableFileError, match="--dates dmy"):
        Reading(path)
    first, second = (facts(Reading(path, Terms(0, day_first=day)))[0] for day in (True, False))
    assert isinstance(first, SignIn) and isinstance(second, SignIn) and first.at > second.at


def test_times_without_a_zone_are_told_of(tmp_path: Path) -> None:
    analytics = SAMPLES["Log Analytics"][2]
    assert not Reading(written(tmp_path, analytics)).zoneless
    assert Reading(written(tmp_path, analytics.replace(" [UTC]", " [Local Time]"))).zoneless
    assert not Reading(written(tmp_path, SAMPLES["Graph's documents"][2])).zoneless
    assert not Reading(written(tmp_path, SAMPLES["assets"][2])).zoneless


def test_of_what_it_is_that_was_so_when_the_file_was_written(tmp_path: Path) -> None:
    for name in ("mailboxes", "senders"):
        path = written(tmp_path, SAMPLES[name][2])
        os.utime(path, ns=(7, 7))
        (one,) = facts(Reading(path))
        assert isinstance(one, Mailbox | Sender) and one.at == 7


def test_rows_that_cannot_be_read_are_set_aside_batch_by_batch(tmp_path: Path) -> None:
    bad = "-,Ann\n" * (BATCH + 1)
    reading = Reading(written(tmp_path, f"MAC,Owner\n{MAC},Bob\n{bad}{MAC},\n"))
    found = [(len(batch), len(reading.rejected), reading.rejected[-1].line) for batch in reading]
    assert found == [(1, BATCH - 1, BATCH + 1), (0, 2, BATCH + 3)]
    assert (reading.rows, reading.useless) == (BATCH + 3, 1)
    assert reading.position == reading.size


def test_a_list_of_old_is_read_in_the_page_of_its_desk(tmp_path: Path) -> None:
    (one,) = facts(Reading(written(tmp_path, "Name;Besitzer;Größe\nx;Jürgen;1\n".encode("cp1252"))))
    assert one == Asset("x", "Jürgen", None, None)


def test_cells_of_any_length_are_read_in_little_memory(tmp_path: Path) -> None:
    path = written(tmp_path, "Name,Room\n" + f"{'x' * 100_000},y\n" * 300)
    tracemalloc.start()
    try:
        assert len(facts(Reading(path))) == 300
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def read_all(path: str) -> Iterator[Fact | Rejected]:
    try:
        reading = Reading(path)
        for batch in reading:
            yield from batch
            yield from reading.rejected
    except UnreadableFileError:
        return


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_bytes_make_reading_fail(tmp_path: Path, data: st.DataObject) -> None:
    """Samples with a piece taken out, and any bytes put in; any bytes alone; and twice tells the same."""
    text = data.draw(st.sampled_from([b"", *(text.encode() for _, _, text in SAMPLES.values())]))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    noise = data.draw(
        st.one_of(st.binary(max_size=40), st.text(max_size=20).map(lambda s: s.encode("utf-16")))
    )
    path = written(tmp_path, text[:start] + noise + text[end:])
    assert list(read_all(path)) == list(read_all(path))
