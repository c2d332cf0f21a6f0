"""`python -m a3s_cli.prices update`: makes the table anew, at release time."""

from __future__ import annotations

import sys

from ..errors import A3SError
from ..output.person import complain
from .update import update

if __name__ == "__main__":
    if sys.argv[1:] != ["update"]:
        complain("usage: python -m a3s_cli.prices update")
        raise SystemExit(2)
    try:
        complain(update())
    except A3SError as error:
        complain(f"{error}{f' ({error.hint})' if error.hint else ''}")
        raise SystemExit(int(error.exit_status)) from None
