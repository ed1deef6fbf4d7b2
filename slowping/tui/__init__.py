"""The live view in a terminal: it reaches the server through the client alone.

May import `client` and `core`. Start with `app.py`, which owns the connection; `places.py` lists
the screens, `commands/` every key; `place_screen.py` is what a screen is made of.
"""
