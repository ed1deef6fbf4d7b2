"""Keep what there is: copy the database, put a copy back, look everything over, move events.

Those of the commands that need no server work on a data folder (`place.py`).
"""
