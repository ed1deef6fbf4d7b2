"""Code that sends an event: what clients of six services send, in three languages."""
