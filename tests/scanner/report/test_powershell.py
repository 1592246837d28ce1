"""The script for PowerShell: it parses, it holds the lines it should, and no name gets out of its quotes."""

from collections.abc import Iterator

import pytest
import tree_sitter_powershell
from hypothesis import given
from hypothesis import strategies as st
from tree_sitter import Language, Node, Parser

from scanner.mailbox_switches import Decision, Need, Switch, User
from scanner.model import Device, Heard, Host
from scanner.report.powershell import USERS_SHOWN, literal, quoted, script
from scanner.tenant import SmtpAuth, Tie

NOW = 1_790_000_000_000_000_000
HOSTILE = (
    "'; Remove-Mailbox *; '", "\u2019; Remove-Mailbox *; \u2018", "x\nRemove-Mailbox *", "x\rRemove-Mailbox",
    "#>\nRemove-Mailbox", "$(Remove-Mailbox *)", "`nRemove-Mailbox", "SIG # Begin signature block",
    "Requires -Version 9", "'@\nRemove-Mailbox\n@'", "\u2028Remove-Mailbox", "\x85Remove-Mailbox", "\x00",
    "{version}", "\"; Remove-Mailbox *; \"", "\u201bx", "a\ud800b",
)  # fmt: skip
COMMANDS = {
    "Get-Date", "Get-TransportConfig", "Select-Object", "Export-Csv", "Join-Path", "ForEach-Object",
    "Get-CASMailbox", "Set-CASMailbox",
}  # fmt: skip
PARSER = Parser(Language(tree_sitter_powershell.language()))


def decision(address: str, switch: Switch, name: str = "copier", users: int = 1) -> Decision:
    device = Device("Ricoh", "IM C3000", "printer", 0.9)
    label = Heard("smtp.client_name", name, 0, NOW)
    host = Host(name, (), None, None, (label,), False, 0, 0, (), device=device)
    user = User(host, Tie(name, address, 0.97, "coincidence", (), 34), Need.PASSWORD, NOW)
    return Decision(address, switch, "of a reason", (user,) * users, SmtpAuth.INHERITED)


def written(*decisions: Decision, rests: str = "rests on one run") -> str:
    untied = [user.host for one in decisions for user in one.users]
    return script(decisions, untied, version="1.0", made=NOW, as_of="2026-11-26", rests=rests)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def parsed(text: str) -> tuple[set[str], list[str]]:
    """Commands that a script calls, and its lines that change mailboxes; it must have no fault."""
    tree = PARSER.parse(text.encode("utf-8", "surrogatepass"))
    assert not tree.root_node.has_error, tree.root_node
    every = list(nodes(tree.root_node))
    named = {(one.text or b"").decode() for one in every if one.type == "command_name"}
    calls = [(one.text or b"").decode() for one in every if one.type == "command"]
    return named, [call for call in calls if call.startswith("Set-")]


def test_it_holds_a_line_for_each_mailbox_that_is_changed_and_no_other() -> None:
    named, calls = parsed(
        written(
            decision("a@example.com", Switch.ALLOW),
            decision("o'neill@example.com", Switch.DISABLE),
            decision("c@example.com", Switch.LEAVE),
        )
    )
    start = "Set-CASMailbox -Identity"
    assert calls == [
        f"{start} 'a@example.com' -SmtpClientAuthenticationDisabled $false -WhatIf:$Preview",
        f"{start} 'o''neill@example.com' -SmtpClientAuthenticationDisabled $true -WhatIf:$Preview",
    ]
    assert named <= COMMANDS


def test_the_state_before_is_written_whether_it_previews_or_not() -> None:
    text = written(decision("a@example.com", Switch.ALLOW))
    assert text.count("Export-Csv") == text.count("-WhatIf:$false") == 2
    assert text.index("Export-Csv") < text.index("Set-CASMailbox -Identity 'a@example.com'")
    assert "$Preview = (-not $Apply) -or [bool]$WhatIfPreference" in text


def test_evidence_stands_with_each_mailbox() -> None:
    text = written(decision("a@example.com", Switch.ALLOW, users=USERS_SHOWN + 2))
    assert "copier, copier, Ricoh IM C3000: signs in by SMTP with a password, last 2026-09-21" in text
    assert "tie 0.97 by coincidence in 34 sign-ins" in text
    assert "it was $null, the tenant's when the tenant was asked" in text
    assert "and 2 more devices" in text


def test_without_decisions_it_changes_nothing() -> None:
    named, calls = parsed(written())
    assert not calls and "Get-CASMailbox" not in named


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_comments(name: str) -> None:
    given_to_all = (
        decision("a@example.com", Switch.ALLOW, name),
        decision(name, Switch.ALLOW, name),
        decision(f"{name}@example.com", Switch.LEAVE, name),
    )
    text = written(*given_to_all, rests=name)
    named, calls = parsed(text)
    assert named <= COMMANDS and len(calls) == 1
    assert len(text.splitlines()) == text.count("\n")
    head = [line for line in text.splitlines() if line.casefold().startswith(("#requires", "# sig #"))]
    assert len(head) == 2


@given(st.text(), st.text())
def test_any_name_stays_a_comment(name: str, address: str) -> None:
    named, calls = parsed(written(decision(address, Switch.ALLOW, name)))
    assert named <= COMMANDS and len(calls) <= 1


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("scan@example.com", True),
        ("o'neill+x@mail.example.co.uk", True),
        ("$(x)@example.com", False),
        ("$x@example.com", True),
        ("s***@example.com", False),
        ("scan", False),
        ("scan@example", False),
        ("sc an@example.com", False),
        ("scan@example.com\n", False),
        ("o\u2019neill@example.com", False),
        (f"{'a' * 250}@example.com", False),
    ],
)
def test_only_what_looks_like_an_address_is_one(address: str, is_one: bool) -> None:
    assert (quoted(address) is not None) is is_one


def unquoted(text: str) -> str:
    """What PowerShell makes of a string in single quotes: any of five begins, ends or doubles."""
    quotes = "'\u2018\u2019\u201a\u201b"
    assert text[0] in quotes
    found, at = "", 1
    while text[at] not in quotes or (at + 1 < len(text) and text[at + 1] in quotes):
        step = 2 if text[at] in quotes else 1
        found += text[at]
        at += step
    assert at == len(text) - 1, "something stands behind the string"
    return found


@given(st.text(alphabet=st.sampled_from("ab'\u2018\u2019\u201a\u201b\"`$(){};#@ ")) | st.text())
def test_what_is_quoted_is_one_string_again(text: str) -> None:
    try:
        shown = literal(text)
    except ValueError:
        assert any(not one.isprintable() for one in text)
    else:
        assert unquoted(shown) == text
