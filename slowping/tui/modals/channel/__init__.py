"""Everything that is asked about a channel: its settings, why it pauses, how a test went.

Start in `form.py`.
"""
