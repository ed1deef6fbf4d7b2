"""The places: one screen a noun, strangers to each other, each loaded when it is first shown."""
