"""What the channels screen knows and decides: fields of a form, their values, words, columns.

Nothing here draws or asks; the screen is `screens/channel.py`, its questions `modals/channel/`.
"""
