"""The demo: a server that is gone when you leave, with traffic and far sides of its own.

May import server and client; only the command line knows it. Start with `stage.py`.
"""
