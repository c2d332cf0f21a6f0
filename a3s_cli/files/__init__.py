"""The workspace: the line around it, the way through it, and what it asks to be ignored."""
