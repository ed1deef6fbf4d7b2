"""The engine and its two doors: the five dialects, and our own API.

A door calls the engine (`ingest`, `dispatcher`, `auth`), the engine calls no door. Start with
`app.py`, where everything is wired together.
"""
