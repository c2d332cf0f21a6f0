"""Events on their way: stamped, redacted, encoded, recorded, and read back."""
