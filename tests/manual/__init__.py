"""The manual, the completions and the package that brings them."""
