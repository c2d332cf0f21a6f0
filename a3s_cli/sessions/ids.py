"""The ids of sessions: made from the time, or chosen by the user."""

from __future__ import annotations

import os
import re
import time

from ..errors import UsageError

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: without i, l, o, u
#: A file name that is safe everywhere, in shells and for option parsers, too.
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
#: The shortest prefix that may stand for a whole id.
SHORTEST = 4


def new_id() -> str:
    """Return an id of 17 characters that sort by time, with 40 random bits."""
    number = time.time_ns() // 1_000_000 << 40 | int.from_bytes(os.urandom(5), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(80, -5, -5))


def check(name: str) -> str:
    """Return the name. Raises UsageError if it is not a valid id."""
    if not re.fullmatch(_NAME, name):
        raise UsageError(
            f"{name[:100]!r} cannot name a session: expected at most 64 letters, digits, "
            "'.', '_' or '-', the first of them a letter or a digit"
        )
    return name


def is_name(name: str) -> bool:
    """Return whether a name is a valid id."""
    return re.fullmatch(_NAME, name) is not None
