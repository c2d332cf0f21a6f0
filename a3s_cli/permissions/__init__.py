"""May this call happen? Rules, and what a shell script would really run. All of it is pure."""
