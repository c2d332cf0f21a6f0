"""A refused request: an HTTP status, a code, and a sentence to act on."""

from __future__ import annotations


class Refused(Exception):
    """Raised when a request is refused; it holds the HTTP status and the code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def not_found(message: str) -> Refused:
    """Return the refusal of a request for something that does not exist."""
    return Refused(404, "not_found", message)
