"""Everything that is asked about an API key: what a new one may do, how an old one is to end.

Start at `asking.py`, which asks one thing after the other; `form.py` is the form of a new key.
"""
