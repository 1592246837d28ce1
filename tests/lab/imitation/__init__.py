"""A lab for what sizes tell inside TLS: many servers, many programs, and the truth as the servers saw it.

Exchange Online as it speaks today and spoke in 2022; servers of other makes, drawn from a seed out
of the words of two dozen products; and real ones (Dovecot, Postfix, Exim, aiosmtpd) behind a relay
of ours that keeps every record as it is. Real programs and devices' habits meet them over all
versions of TLS. A label is what the server lived through, never what we told the client to do; a
test reads the captures with their keys, too. The same seed draws the same sessions from the same
programs; only ports, times and signed tokens differ.
"""
