"""What each command does, in the file of its name; `cli` parses the command line."""
