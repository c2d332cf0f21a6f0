"""One run, from what was asked to its last event."""
