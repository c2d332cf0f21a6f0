"""`a3s batch`: many prompts, one stream, every result exactly once."""
