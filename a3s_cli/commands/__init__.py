"""What each command does, in the file of its name; `cli` parses what it is asked."""
