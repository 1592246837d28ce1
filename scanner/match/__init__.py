"""Whose mailbox a device uses: sign-ins of the tenant's log are tied to logins that were heard.

A sign-in is a point in time, and so is a login. Those of a mailbox are taken for a sum of streams: one of
each device, in which a login is followed by a sign-in with some probability and delay, and one of whatever
was not heard. How strong the streams are follows from the data (``streams``); a device is tied to a mailbox
where its sign-ins are so much likelier with the device's stream than with the best that all others make
without it.
"""
