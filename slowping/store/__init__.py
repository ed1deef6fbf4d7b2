"""Where it is kept: one port, and adapters of the same shape behind it.

Consumers ask for the narrowest of the port's four roles. Only this file knows adapters by name.
"""
