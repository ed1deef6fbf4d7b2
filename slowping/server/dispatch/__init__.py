"""The engine's way out: lease what is due, send it, record what came of it.

Start with `dispatcher.py`; it asks `timetable` whose turn it is, `holds` who has to wait,
`outlets` for a channel that is ready, and `sending` to send. `replay.py` puts back into the
outbox what is to be sent once more.
"""
