"""The SDK: an async client of the server's HTTP API; importing it loads no server."""
