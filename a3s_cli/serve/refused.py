"""A request that is not served: an HTTP status, a code, and a sentence to act on."""

from __future__ import annotations


class Refused(Exception):
    """Why a request is not served."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def not_found(message: str) -> Refused:
    """Give the refusal of what asks for something that is not here."""
    return Refused(404, "not_found", message)
