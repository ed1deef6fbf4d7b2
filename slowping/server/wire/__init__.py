"""HTTP/1.1 as strangers speak it: whoever connects, before anything is known of them.

Start with `protocol.py`, which stands on the server program's own; it asks `gate` who may come in
and who is waited for, answers through `exchange` and closes through `parting`.
"""
