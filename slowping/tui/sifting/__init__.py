"""What a person has typed into the filter, and the places that show only what matches it."""
