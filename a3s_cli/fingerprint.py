"""The sha256 of a few bytes, by the interpreter's own code.

`hashlib` loads OpenSSL, which takes as long as everything else that a run does
before its first line. For large inputs use `hashlib`: there OpenSSL is three
times as fast.
"""

from __future__ import annotations

from importlib import import_module


def fingerprint(data: bytes) -> str:
    """Return the sha256 in hexadecimal."""
    # The interpreter's own: since 3.12, before 3.12, and where it was built without.
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return str(import_module(name).sha256(data).hexdigest())
        except ImportError:
            continue
    raise AssertionError("hashlib is always there")
