"""The child that holds a value against a schema where that may take for ever.

It says `valid` or `invalid`, and then each violation on a line. It runs without
site-packages, and dies of a schema that wants too much memory.
"""

from __future__ import annotations

import os
import resource
import sys

from ..jsontext import dumps, loads
from ..validation import Validator

#: Bytes of memory.
MEMORY = 2 * 1024**3


def main(path: str) -> None:
    """Judge the value in a file that holds [schema, value]."""
    if sys.platform == "linux":
        # macOS maps more than this before a program begins, and refuses the limit.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with open(path, "rb") as file:
        schema, value = loads(file.read())
    validator = Validator(schema)
    if validator.is_valid(value):
        os.write(1, b"valid\n")
        return
    os.write(1, b"invalid\n")
    for violation in validator.violations(value):
        os.write(1, dumps(violation) + b"\n")
