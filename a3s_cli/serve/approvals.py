"""Permission requests of a run that are answered over HTTP.

The stream carries the request (`permission_request`), and a POST answers it. The
page may be unattended, so a request expires: the call is then denied with a
reason, as wherever no one can be asked.
"""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from ..permissions.approval import Reply, given_reply

#: Seconds until a permission request expires.
PATIENCE = 3600.0


def checked_reply(body: dict[str, Any]) -> Reply:
    """Return the reply in a body; raise `UsageError` if there is none."""
    try:
        return given_reply(body)
    except ValueError as error:
        raise UsageError(f"the body: {error}") from None
