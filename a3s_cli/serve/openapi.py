"""The description of the API, as OpenAPI 3.1: what may be sent, and what comes back."""

from __future__ import annotations

from typing import Any


def document() -> dict[str, Any]:
    """Give the document."""
    return {}
