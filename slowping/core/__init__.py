"""What slowping is: nouns and decisions, in plain Python and msgspec.

Nothing here does input or output, knows asyncio or reads a clock; it imports nothing else of
ours. Start with `event.py` and `delivery.py`.
"""
