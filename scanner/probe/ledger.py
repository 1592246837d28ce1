"""Keep what dialogues with one port told, until it is a service record and labels of its host."""

from __future__ import annotations

from collections.abc import Iterable

from scanner.conversation import Endpoint
from scanner.events import Event, Greeting, Label, Offer, TlsMode
from scanner.labels import SERVER
from scanner.probe.layers import Layer, TlsLayer
from scanner.protocols.banner import banner
from scanner.protocols.http_auth import service
from scanner.protocols.smtp_script import relaying
from scanner.services import (
    Answered,
    NtlmNames,
    Relaying,
    Service,
    ServicePath,
    ShownCertificate,
    TlsAccepted,
)
from scanner.session import Answer

SUBMISSION = frozenset({465, 587})
"""Ports of mail submission (RFC 6409 3.1, RFC 8314 7.3)."""
LABELS_KEPT = 64
"""Facts of one port; more would be a flood."""
MECHANISMS_KEPT = 64
"""Mechanisms of one port, in clear and inside TLS each; some thirty are registered with IANA."""


class Ledger:
    """What was learned of one port."""

    def __init__(self, end: Endpoint, protocol: str | None, mode: TlsMode) -> None:
        """``mode``: how the dialogue began; a handshake inside makes STARTTLS of clear."""
        self.end, self.protocol, self.mode = end, protocol, mode
        self.outcome, self.detail = Answered.ANSWERED, ""
        self.labels: dict[Label, None] = {}
        self.version: str | None = None
        self.tls: TlsAccepted | None = None
        self.certificate: ShownCertificate | None = None
        self._clear: set[str] = set()
        self._inside: set[str] = set()
        self._starttls: bool | None = None
        self._login_disabled: bool | None = None
        self._greeting: Greeting | None = None
        self._paths: dict[str, ServicePath] = {}
        self._is_exchange = False
        """The script asks for more than EAS only where it takes a server for Exchange."""
        self._relaying: Relaying | None = None
        self._spoke = False

    def heard(self, said: bytes, answer: Answer, inside: bool) -> None:
        """Learn what came of a step; ``inside``: it was said inside TLS."""
        self._spoke = True
        for event in answer.events:
            self._fold(event, inside)
        if self.protocol == "http":
            self._path(said, answer)
        else:
            self._relaying = relaying(said, answer) or self._relaying

    def secured(self, layer: Layer) -> None:
        """Learn that TLS was begun."""
        if isinstance(layer, TlsLayer):
            self.version = layer.version
            if self.mode is TlsMode.CLEAR:
                self.mode = TlsMode.STARTTLS
            from scanner.probe.certificates import shown  # 9 MB that nobody needs who meets no TLS

            self.certificate = shown(layer.certificate) if layer.certificate else None
            if self.certificate and self.certificate.subject:
                self._keep(Label("tls.certificate", self.certificate.subject))

    def service(self, at: int) -> Service:
        """The record (``at``: ns)."""
        greeting, spoke = self._greeting, self.outcome is Answered.ANSWERED
        known = spoke or self._spoke or self.version is not None
        return Service(
            host=self.end.ip,
            port=self.end.port,
            outcome=self.outcome,
            at=at,
            protocol=self.protocol if known else None,
            service=self._service() if known else None,
            tls_mode=self.mode if known else None,
            offered=tuple(sorted(self._clear)),
            offered_tls=tuple(sorted(self._inside)),
            starttls=self._starttls,
            login_disabled=self._login_disabled,
            tls=self.tls or TlsAccepted(self.version, self.version),
            certificate=self.certificate,
            banner=greeting.text if greeting else self._text("http.server"),
            server_name=greeting.host if greeting else None,
            public_ip=self._text("smtp.public_ip"),
            ntlm=self._ntlm(),
            paths=self._exchange_paths,
            relaying=self._relaying,
            detail=self.detail,
        )

    @property
    def of_host(self) -> list[Label]:
        """What it tells of the machine, as a sniffer would have heard it."""
        return [label for label in self.labels if label.field in SERVER]

    def _fold(self, event: Event, inside: bool) -> None:
        match event:
            case Greeting():
                self._greeting = event
                if self.protocol and (text := banner(self.protocol, event.text)):
                    self._keep(Label(f"{self.protocol}.banner", text))
            case Offer():
                known = self._inside if inside else self._clear
                known.update(event.mechanisms[: MECHANISMS_KEPT - len(known)])
                if not inside and self.protocol != "http":
                    self._starttls = event.starttls
                if self.protocol == "imap" and (not inside or self.mode is TlsMode.IMPLICIT):
                    self._login_disabled = event.login_disabled
            case Label():
                self._keep(event)
            case _:
                pass

    def _keep(self, label: Label) -> None:
        if len(self.labels) < LABELS_KEPT:
            self.labels[label] = None

    def _path(self, said: bytes, answer: Answer) -> None:
        words, status = said.split(b" ", 2), answer.line.split()[1:2]
        name = service(words[1]) if len(words) > 2 else None
        if not name or not status or not status[0].isdigit():
            return
        self._is_exchange |= name != "eas"
        code, offered = int(status[0]), _offered(answer.events)
        if code == 401 or (name == "eas" and code == 200) or name in self._paths:
            known = self._paths.get(name)
            together = sorted({*offered, *(known.offered if known else ())})
            path = words[1].decode("ascii", "replace")
            self._paths[name] = ServicePath(name, path, known.status if known else code, tuple(together))

    @property
    def _exchange_paths(self) -> tuple[ServicePath, ...]:
        """What a device answers to EAS's path, too, is the same as to all paths, and means nothing."""
        return tuple(self._paths.values()) if self._is_exchange else ()

    def _service(self) -> str | None:
        if self.protocol == "http":
            return next((path.service for path in self._exchange_paths), None)
        if self.protocol != "smtp":
            return None
        submits = self.end.port in SUBMISSION or self._clear or self._inside
        return "submission" if submits else "mx" if self.end.port == 25 else None

    def _ntlm(self) -> NtlmNames | None:
        host, domain = self._text("ntlm.host"), self._text("ntlm.domain")
        return NtlmNames(host, domain) if host or domain else None

    def _text(self, field: str) -> str | None:
        return next((label.text for label in self.labels if label.field == field), None)


def _offered(events: Iterable[Event]) -> tuple[str, ...]:
    return tuple(name for event in events if isinstance(event, Offer) for name in event.mechanisms)
