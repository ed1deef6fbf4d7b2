"""How a delivery leaves: one module for each kind of channel, and what they share.

Notifiers never meet: they import `port`, `http` and `render`, never each other. Start with
`port.py`; `webhook.py` is the one to copy for a kind of your own.
"""
