"""Fields that one picks from: a grid of choices, and what is built with it."""
