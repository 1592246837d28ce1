"""What others know: sign-in logs, reports, leases and lists, read as text in whatever form they come.

A *form* (table, documents, lease file) makes rows of a file: cells by loose name. A *family* says what rows
with such columns mean. ``reading`` recognises both by content.
"""
