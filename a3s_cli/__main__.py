"""`python -m a3s_cli` is `a3s`."""

from .cli import main

main()
