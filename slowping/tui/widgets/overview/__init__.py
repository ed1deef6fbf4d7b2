"""What the overview is made of: the totals on top, and lists of figures below them."""
