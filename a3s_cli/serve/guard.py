"""Which requests are admitted: the token, and the origin that a browser reports.

The token allows running commands as the user. Pages of other sites must not
reach the API, although the user's browser would carry their requests here:

- `Host` must be an IP address or a name that the user chose: a foreign name that
  resolves to this machine (DNS rebinding) is refused;
- `Origin`, if present, must be our own, and a browser that reports a cross-site
  request is believed. The user may allow more origins, for example an app under
  development; they must send the token themselves;
- the cookie is only sent by our own pages (SameSite), no script can read it, and
  its name contains our port, because cookies ignore ports. With the cookie alone
  and no `Origin`, nothing can be changed;
- a body must be declared as JSON, which no form can do, and its size is limited.

The page's own files hold no secret and need no token: without one they can only
say where to find it.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import UsageError
from ..jsontext import loads
from .refused import Refused

#: Bytes of a request's body: an attachment in base64, or a whole conversation.
BODY_LIMIT = 32 * 1024 * 1024
#: Headers of every response: run only our scripts, allow no framing, send no referrer.
SECURITY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
#: What pages of allowed origins may do and see.
PREFLIGHT = {"access-control-allow-methods": "GET, POST, DELETE", "access-control-max-age": "600"}
SHARED = {"vary": "Origin", "access-control-expose-headers": "content-location"}
#: The environment variable that sets the token; without it, each start makes a new one.
VARIABLE = "A3S_SERVE_TOKEN"
SHORTEST = 16
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST},}}")
_SAFE = ("GET", "HEAD")
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?", re.ASCII)
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]+)?", re.ASCII)
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)


def refusal(status: int, code: str, message: str, hint: str | None = None) -> Response:
    """Return the response to a request that is refused."""
    told = {"code": code, "message": message} | ({"hint": hint} if hint else {})
    headers = {"cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse({"error": told}, status, headers)


class Tokens:
    """The credentials: one token for the lifetime of the server, and single-use tickets."""

    def __init__(self, port: int, chosen: str = "") -> None:
        if chosen and not _TOKEN.fullmatch(chosen):
            raise UsageError(
                f"{VARIABLE} is not a valid token: expected at least {SHORTEST} letters, digits, "
                "'-' or '_'"
            )
        self.token = chosen or secrets.token_urlsafe(32)
        self.cookie = f"a3s-{port}"
        self._tickets: set[str] = set()

    def ticket(self) -> str:
        """Return a single-use ticket; other users of the machine can see a browser's arguments."""
        ticket = secrets.token_urlsafe(32)
        self._tickets.add(ticket)
        return ticket

    def opens(self, given: str) -> bool:
        """Tell whether this is the token."""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def redeems(self, given: str) -> bool:
        """Tell whether this is the token or an unused ticket; use up the ticket."""
        if self.opens(given):
            return True
        used = given in self._tickets
        self._tickets.discard(given)
        return used


class Guard:
    """ASGI middleware that admits or refuses each request."""

    def __init__(
        self, app: ASGIApp, tokens: Tokens, names: Iterable[str], origins: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._names = {"localhost", *(name.lower() for name in names)}
        self._origins = {checked_origin(origin) for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or answer why it is refused."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY)
                if (origin := request.headers.get("origin", "").lower()) in self._origins:
                    headers.update(SHARED | {"access-control-allow-origin": origin})
                # The page's files have no version in their names; an update must be seen.
                headers.setdefault("cache-control", "no-cache")
            await send(message)

        if scope["type"] != "http":
            return  # A websocket that is not accepted is closed.
        request = Request(scope)
        app: ASGIApp
        try:
            app = self._admitted(request) or self._app
        except Refused as refused:
            app = refusal(refused.status, refused.code, str(refused))
        await app(scope, receive, secured)

    def _admitted(self, request: Request) -> Response | None:
        """Return the response if no route is needed, else None; raise `Refused`."""
        host = request.headers.get("host", "").lower()
        if not self._is_ours(host):
            raise Refused(403, "host", _foreign(host))
        origin = request.headers.get("origin", f"http://{host}").lower()
        is_own = origin in (f"http://{host}", f"https://{host}")
        if not is_own and origin not in self._origins:
            raise Refused(403, "origin", f"requests from pages of {origin[:100]!r} are not allowed")
        if not is_own and request.method == "OPTIONS":
            wanted = request.headers.get("access-control-request-headers", "")
            allowed = PREFLIGHT | {"access-control-allow-headers": wanted}
            return Response(status_code=204, headers=allowed)
        path = request.scope["path"]
        if path == "/" or path.startswith("/page/"):
            given = request.query_params.get("token")
            return None if given is None else self._enter(given)
        if is_own and request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Refused(403, "origin", "requests from pages of other sites are not allowed")
        self._require_token(request, cookie=is_own)
        if request.method not in _SAFE:
            self._require_json(request)
        return None

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        name = (found[1] or found[2]) if found else ""
        try:
            # An address needs no name server, so it cannot be rebound.
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True

    def _enter(self, given: str) -> Response:
        if not self._tokens.redeems(given):
            raise Refused(401, "token", "this is not the token that a3s serve printed")
        response = RedirectResponse("/", 303, {"cache-control": "no-store"})
        response.set_cookie(
            self._tokens.cookie, self._tokens.token, httponly=True, samesite="strict"
        )
        return response

    def _require_token(self, request: Request, *, cookie: bool) -> None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind:
            if kind.lower() != "bearer" or not self._tokens.opens(given.strip()):
                raise Refused(
                    401, "token", "the Authorization header does not contain this server's token"
                )
            return
        given = request.cookies.get(self._tokens.cookie, "") if cookie else ""
        if not self._tokens.opens(given):
            raise Refused(
                401, "token", "open the address that a3s serve printed, or send its token"
            )
        if request.method not in _SAFE and "origin" not in request.headers:
            raise Refused(403, "origin", "a request that has only the cookie must have an Origin")

    def _require_json(self, request: Request) -> None:
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > BODY_LIMIT:
            raise too_long()
        has_body = length != "0" or "transfer-encoding" in request.headers
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if has_body and kind != "application/json":
            raise Refused(415, "content_type", "the body must be application/json")


def checked_origin(origin: str) -> str:
    """Return an origin as browsers send it; raise `UsageError` if it is none."""
    if not _ORIGIN.fullmatch(origin.lower()):
        raise UsageError(
            f"--allow-origin {origin[:100]}: expected an origin such as http://localhost:3000, "
            "without a path"
        )
    return origin.lower()


def checked_name(name: str) -> str:
    """Return a host's name as browsers send it; raise `UsageError` if it is none."""
    if not _NAME.fullmatch(name.lower()):
        raise UsageError(
            f"--allow-host {name[:100]}: expected the exact name of a host such as "
            "host.docker.internal, without a port"
        )
    return name.lower()


def _foreign(host: str) -> str:
    found = _HOST.fullmatch(host)
    allow = f"; to accept it, start a3s serve with --allow-host {found[2]}" if found else ""
    return f"the Host {host[:100]!r} is not a name of this server{allow}"


def too_long() -> Refused:
    """Return the refusal of a body that is too long."""
    return Refused(413, "body", f"the body is longer than {BODY_LIMIT >> 20} MiB")


async def json_body(request: Request) -> dict[str, Any]:
    """Read the body of a request; raise `Refused` unless it is a JSON object."""
    data = bytearray()
    try:
        async for piece in request.stream():
            data += piece
            if len(data) > BODY_LIMIT:
                raise too_long()
    except ClientDisconnect:
        raise Refused(
            400, "body", "the client disconnected before its request was complete"
        ) from None
    try:
        value = loads(bytes(data))
    except ValueError as error:
        raise Refused(400, "body", f"the body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused(400, "body", "the body is not a JSON object")
    return value
