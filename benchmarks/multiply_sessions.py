"""Makes many sessions of the one in a home, by the product's own code.

    PYTHON -I multiply_sessions.py HOME NUMBER WORKSPACE

It runs in the interpreter of the a3s that is measured, since how a session is
kept is its affair.
"""

import sys
from pathlib import Path

from a3s_cli.sessions.store import Store

home, number, workspace = sys.argv[1:]
store = Store.find({"HOME": home})
(first,) = store.ids()
lines = store.path(first).read_bytes()
for _ in range(int(number) - 1):
    session = store.create(Path(workspace))
    session.write(lines)
    session.close()
