"""Everything that is asked about a channel: its kind, its settings, why it pauses, how a test went.

Start in `form.py`; `schema.py` decides which fields a kind's settings get.
"""
