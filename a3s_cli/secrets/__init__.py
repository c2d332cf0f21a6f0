"""What must not be seen: found, hidden in events, and kept from the model and the log."""
