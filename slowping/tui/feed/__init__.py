"""What the feed shows, and how it keeps up with what happens."""
