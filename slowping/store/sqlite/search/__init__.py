"""Find events: the pages of a list, and the text index that follows the journal."""
