"""What is told of keys: which of a person's own are wrong, and the page that lists them all."""
