"""What the deliveries screen knows and decides: groups, one group's rows, acts on many, words."""
