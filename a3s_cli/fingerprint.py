"""The sha256 of a few bytes, by the interpreter's own code.

`hashlib` loads OpenSSL for it, which takes as long as everything else that a run
does of its own before its first line. Whoever hashes a lot wants `hashlib`: there
OpenSSL is three times as fast.
"""

from __future__ import annotations

from importlib import import_module


def fingerprint(data: bytes) -> str:
    """Give the sha256 in hexadecimal."""
    # Where the interpreter keeps it: since 3.12, before, and where it was built without its own.
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return str(import_module(name).sha256(data).hexdigest())
        except ImportError:
            continue
    raise AssertionError("hashlib is always there")
