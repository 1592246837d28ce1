"""Which programs constants may be set by, and which only judge: by name, so that no run mixes them up."""

from __future__ import annotations

CALIBRATION = frozenset({
    "curl", "msmtp", "fetchmail", "smtplib", "poplib", "neomutt", "s-nail", "offlineimap3", "git-imap-send", "imapclient",
    "redmail", "nodemailer", "emailjs", "node-imap", "ruby-net", "Net::POP3", "javamail", "php-curl", "curl-eas", "curl-owa",
    "requests", "httpx-h2", "node-fetch",
    "habit-printer", "habit-login-test", "habit-inline", "habit-probe", "habit-silent", "habit-pipelined-relay", "habit-token",
    "habit-apart", "habit-two-mails", "habit-imap-login", "habit-imap-probe", "habit-pop3-poll", "habit-pop3-token",
    "habit-envelope-first",
})  # fmt: skip
"""Their flows may be looked at when a constant is measured (``make calibrate``)."""
JUDGES = frozenset({
    "mpop", "swaks", "imaplib", "mbsync", "mutt", "getmail6", "git-send-email", "gsasl", "sendemail", "aiosmtplib", "aioimaplib",
    "imap_tools", "yagmail", "twisted", "smtp-client", "imapflow", "node-pop3", "ruby-pop", "Net::SMTP", "Mail::IMAPClient",
    "Mail::POP3Client", "Net::IMAP::Simple", "PHPMailer", "php-imap", "curl-ews", "curl-h2", "wget", "httpx", "aiohttp",
    "urllib", "node-https", "axios", "node-http2",
    "habit-dotnet", "habit-hello-twice", "habit-helo-first", "habit-retries", "habit-next-mechanism",
    "habit-plain-then-login", "habit-token-then-password", "habit-probe-noop", "habit-envelope-then-login",
    "habit-pipelined", "habit-cancels", "habit-token-later", "habit-imap-literals", "habit-pop3-pipelined",
    "habit-pop3-probe", "habit-imap-token",
})  # fmt: skip
"""Their flows tell how good the result is, and nothing else."""
