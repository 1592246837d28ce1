"""Libraries, each behind a script of ours in its own language."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from imitation.program import TOOLS, Call, Program
from imitation.session import Session

HERE = Path(__file__).parent
PYTHON = TOOLS / "py" / "bin" / "python"
NODE = TOOLS / "node" / "node_modules"
JARS = ("/usr/share/java/javax.mail.jar", "/usr/share/java/javax.activation.jar")
Make = Callable[[Session, Path], Call]


def _script(*words: str) -> Make:
    """Call a script of ours with all there is to know."""

    def call(session: Session, folder: Path) -> Call:
        rest = (
            session.protocol,
            session.host,
            str(session.port),
            session.tls_mode,
            session.mechanism or "none",
            session.user,
            session.secret,
            session.client_name,
        )
        return Call((*words, *rest))

    return call


def _pypi(name: str, ways: dict[str, tuple[str | None, ...]], module: str = "", **more: object) -> Program:
    folder = f"py/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/{module or name}"
    call = _script(str(PYTHON), str(HERE / "pypi.py"), name)
    return Program(name, ways, call, modules=("py/bin/python", folder), **more)


def _npm(name: str, ways: dict[str, tuple[str | None, ...]], module: str = "", **more: object) -> Program:
    call = _script("node", str(HERE / "node.mjs"), name)
    return Program(name, ways, call, ("node",), (f"node/node_modules/{module or name}",), **more)


def _perl(name: str, ways: dict[str, tuple[str | None, ...]], module: str, **more: object) -> Program:
    call = _script("perl", str(HERE / "perl.pl"), name)
    return Program(name, ways, call, ("perl",), (module,), **more)


IMPLICIT = {"skips_mode": frozenset({"starttls"})}
STARTTLS = {"skips_mode": frozenset({"implicit"})}
STRICT = {
    "refuses_tls": frozenset({"10-cbc", "11-cbc", "12-cbc-sha", "12-cbc-mte", "12-rsa-cbc", "12-cbc-sha256"})
}
"""Python's default settings of TLS, which these don't let change."""
PERL5 = "/usr/share/perl5"
PROGRAMS: tuple[Program, ...] = (
    _pypi("aiosmtplib", {"smtp": ("auto", "LOGIN", "PLAIN", "XOAUTH2", "CRAM-MD5", None)}),
    _pypi("aioimaplib", {"imap": ("IMAP-LOGIN", "XOAUTH2")}, **IMPLICIT),
    _pypi("imapclient", {"imap": ("IMAP-LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", None)}),
    _pypi("imap_tools", {"imap": ("IMAP-LOGIN", "XOAUTH2")}),
    _pypi("yagmail", {"smtp": ("auto",)}, **STRICT),
    _pypi("redmail", {"smtp": ("auto", None)}, **STRICT),
    _pypi("twisted", {"smtp": ("auto",)}, **STARTTLS, refuses_tls=frozenset({"10-cbc", "11-cbc"})),
    _npm("nodemailer", {"smtp": ("auto", "LOGIN", "PLAIN", "XOAUTH2", "CRAM-MD5", None)}),
    _npm("smtp-client", {"smtp": ("LOGIN", "PLAIN", None)}, **IMPLICIT),
    _npm("emailjs", {"smtp": ("auto", "LOGIN", "PLAIN", "XOAUTH2", "CRAM-MD5")}),
    _npm("imapflow", {"imap": ("auto", "IMAP-LOGIN", "PLAIN", "LOGIN", "XOAUTH2")}),
    _npm("node-imap", {"imap": ("auto", "XOAUTH2")}, "imap"),
    _npm("node-pop3", {"pop3": ("USERPASS",)}, **IMPLICIT),
    Program(
        "ruby-net",
        {
            "smtp": ("PLAIN", "LOGIN", "CRAM-MD5", None),
            "imap": ("IMAP-LOGIN", "PLAIN", "LOGIN", "CRAM-MD5", None),
        },
        _script("ruby", str(HERE / "ruby.rb")),
        ("ruby",),
    ),
    Program(
        "ruby-pop", {"pop3": ("USERPASS",)}, _script("ruby", str(HERE / "ruby.rb")), ("ruby",), **IMPLICIT
    ),
    _perl("Net::SMTP", {"smtp": ("LOGIN", "PLAIN", "CRAM-MD5", None)}, f"{PERL5}/Authen/SASL.pm"),
    _perl("Net::POP3", {"pop3": ("USERPASS",)}, f"{PERL5}/IO/Socket/SSL.pm"),
    _perl(
        "Mail::IMAPClient",
        {"imap": ("IMAP-LOGIN", "PLAIN", "CRAM-MD5", "XOAUTH2")},
        f"{PERL5}/Mail/IMAPClient.pm",
    ),
    _perl("Mail::POP3Client", {"pop3": ("USERPASS",)}, f"{PERL5}/Mail/POP3Client.pm", **IMPLICIT),
    _perl("Net::IMAP::Simple", {"imap": ("IMAP-LOGIN",)}, f"{PERL5}/Net/IMAP/Simple.pm", **IMPLICIT),
    Program(
        "PHPMailer",
        {"smtp": ("auto", "LOGIN", "PLAIN", "XOAUTH2", "CRAM-MD5", None)},
        _script("php", str(HERE / "php.php"), "PHPMailer"),
        ("php",),
        ("/usr/share/php/libphp-phpmailer",),
    ),
    Program(
        "php-imap",
        {"imap": ("auto", "IMAP-LOGIN"), "pop3": ("auto",)},
        _script("php", str(HERE / "php.php"), "php-imap"),
        ("php",),
        ("/usr/lib/php/20220829/imap.so",),
        **IMPLICIT,
    ),
    Program(
        "php-curl",
        {"imap": ("auto", "XOAUTH2"), "pop3": ("auto", "XOAUTH2")},
        _script("php", str(HERE / "php.php"), "php-curl"),
        ("php",),
        ("/usr/lib/php/20220829/curl.so",),
    ),
    Program(
        "javamail",
        {
            "smtp": ("auto", "LOGIN", "PLAIN", "XOAUTH2", None),
            "imap": ("auto", "IMAP-LOGIN", "PLAIN", "XOAUTH2"),
            "pop3": ("USERPASS", "PLAIN", "XOAUTH2"),
        },
        _script("java", "-cp", ":".join(JARS), str(HERE / "Mail.java")),
        ("java",),
        JARS[:1],
    ),
)
