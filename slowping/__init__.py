"""A self-hosted event inbox: takes events in over HTTP, keeps them, delivers them everywhere."""

__version__ = "0.1.0"
