"""The names of sessions: given by time, or chosen by whoever keeps one."""

from __future__ import annotations

import os
import re
import time

from ..errors import UsageError

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u to misread
#: A safe file name everywhere, which no shell and no option parser takes for something else.
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
#: The shortest beginning that may stand for a whole name.
SHORTEST = 4


def new_id() -> str:
    """Give 17 characters that sort by time, with 40 bits that nobody can guess."""
    number = time.time_ns() // 1_000_000 << 40 | int.from_bytes(os.urandom(5), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(80, -5, -5))


def check(name: str) -> str:
    """Give the name back, or refuse it."""
    if not re.fullmatch(_NAME, name):
        raise UsageError(
            f"{name[:100]!r} cannot name a session: expected at most 64 letters, digits, "
            "'.', '_' or '-', the first of them a letter or a digit"
        )
    return name


def is_name(name: str) -> bool:
    """Tell whether a session can have this name."""
    return re.fullmatch(_NAME, name) is not None
