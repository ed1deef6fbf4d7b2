"""Figures: what the server has counted, kept up with the feed, and put into words.

Start at `asking.py`, which asks for all screens together. Everything else here decides, and
neither draws nor asks; the screen is `screens/overview.py`.
"""
