"""From blocks of raw packets to what each side of a flow said, in order."""
