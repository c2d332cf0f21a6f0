"""The log on stderr, without secrets and without control over a terminal.

It covers not only our own log: asyncio and the HTTP library report errors with
tracebacks that quote their input. Importing this module loads `logging`, so it is
imported only when logging is set up.
"""

from __future__ import annotations

import logging

from ..secrets.masking import mask
from ..secrets.redaction import Redactor
from .person import readable


class Discreet(logging.Formatter):
    """Formats a record, traceback included, without known secrets and without keys."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("a3s: %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's lines."""
        return readable(mask(self._redactor.whole(super().format(record))))


def log_to_stderr(redactor: Redactor, *, debug: bool) -> None:
    """Log warnings and errors, and with `debug` everything, without the redactor's secrets."""
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet(redactor))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO if debug else logging.WARNING)
    if debug:
        logging.getLogger("a3s_cli").setLevel(logging.DEBUG)
