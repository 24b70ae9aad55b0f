"""What is put right, and what is warned of, when a server starts."""
