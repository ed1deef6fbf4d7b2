"""Door two: our own HTTP API under /slowping/v1."""
