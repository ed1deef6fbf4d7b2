"""What the channels screen knows, decides and says: fields of a form, their values, columns, words.

Nothing here asks or does; the screen is `screens/channel.py`, its questions `modals/channel/`.
"""
