"""Mailsunset tells which machines stop mailing when Exchange Online stops accepting passwords.

The ten-minute tour, in the order in which data flows:

* ``capture`` yields blocks of raw packets; ``wire.decode`` turns a block into columns (NumPy) in one pass.
* ``wire.flows`` joins rows of those columns to conversations: what each side said, in order, with gaps.
* ``protocols`` holds one file a protocol: a session hears a conversation and says what happened, as events.
* ``pipeline`` folds the events of a conversation into one observation; it is pure.
* ``db`` keeps observations, and per host and service what was used; ``rules`` judges that for a given day.
* ``report`` and ``cli`` show it.

Imports go down this list from bottom to top only: a test reads them. This package imports nothing.
"""
