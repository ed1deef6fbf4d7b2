"""Questions with a typed answer, and what is shown over a screen."""
