"""What is known of categories beside themselves, and which of it a table has room for."""
