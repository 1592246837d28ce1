"""Mailsunset tells which machines stop mailing when Exchange Online stops accepting passwords.

The ten-minute tour, in the order in which data flows:

* ``capture`` yields batches of raw packets; ``wire.decode`` turns a batch into columns (NumPy) in one pass.
* ``wire.harvest`` takes out of many batches what is of interest; the bulk stays where it is.
* ``wire.flows`` joins its segments to conversations: what each side said, in order, with gaps. Those that lie
  whole and in order are told for all at once (``wire.tidy``), the others put together (``wire.reassembly``).
* ``protocols`` holds one file a protocol: a session hears a conversation and says what happened, as events.
* ``listener`` lets each layer's session hear a conversation, and ``account`` folds their events into one
  observation; ``gatherer`` and ``pipeline`` are all of this, in two halves, for ``crew`` runs several of one.
* ``db`` keeps observations, and per host and service what was used; ``rules`` judges that for a given day.
* ``watch`` is the sensor at a mirror port: rings and filters (``capture``) that are opened with privileges,
  the loop that reads before it hears (``watch.sensor``), and the one writer (``watch.scribe``).
* ``importers`` read what others know: a form makes rows of a file, a family says what they mean.
* ``report`` and ``cli`` show it.

Imports go down this list from bottom to top only: a test reads them. This package imports nothing.
"""
