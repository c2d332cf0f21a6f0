"""Who is refused, and how: each a clear 4xx in JSON, and nothing has run.

What a hostile page could do from the user's own browser, what a neighbour on
the machine could, and what a clumsy program does.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx  # noqa: TID251 - a client of the server under test
import pytest

from ..support.a3s import Bench
from ..support.replies import text
from .serving import Host, Serving

BODY = {"message": "go"}


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server for all who are refused; at the end its model was never asked."""
    bench = Bench(tmp_path_factory.mktemp("refused"))
    host = Host(bench)
    serving = host.serve([])
    yield serving
    assert serving.model.requests == []
    assert serving.client.get("/api/sessions").json() == []
    host.close()
    bench.close()


def refused(response: httpx.Response, status: int, code: str) -> str:
    """Hold a refusal against the form that all of them have; give its sentence."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert error["code"] == code and error["message"], error
    assert set(error) <= {"code", "message", "hint"}
    assert "access-control-allow-origin" not in response.headers
    message: str = error["message"]
    return message


def bare(serving: Serving, **headers: str) -> httpx.Client:
    """A client that has no token."""
    return httpx.Client(base_url=serving.url, headers=headers, trust_env=False, verify=False)


WRONG: list[tuple[str, Any, str]] = [
    ("/api/chat", {}, "`message` of the body is missing: expected the prompt, a string"),
    ("/api/chat", {"message": " "}, "`message` of the body is blank"),
    ("/api/chat", {"message": 1}, "`message` of the body is 1: expected a string"),
    ("/api/chat", BODY | {"modle": "x"}, "the body has no field 'modle'; did you mean 'model'?"),
    ("/api/chat", BODY | {"sessionId": "../x"}, "'../x' cannot name a session"),
    ("/api/chat", BODY | {"sessionId": 5}, "`sessionId` of the body is 5: expected a string"),
    ("/api/chat", BODY | {"schema": {"type": "nonsense"}}, "the schema: "),
    ("/api/chat", BODY | {"model": "nobody/x"}, "nobody"),
    ("/api/chat", BODY | {"model": "x"}, "x"),
    ("/api/ai-sdk", {}, "`messages` of the body is missing"),
    ("/v1/chat/completions", {}, "`messages` of the body is missing"),
]


@pytest.mark.parametrize(("path", "body", "sentence"), WRONG, ids=[str(one[1:2]) for one in WRONG])
def test_a_wrong_body_is_told_what_was_expected(
    serving: Serving, path: str, body: Any, sentence: str
) -> None:
    response = serving.post(path, body)
    assert response.status_code == 400, response.text
    assert sentence in response.json()["error"]["message"]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b"NaN"])
def test_a_body_that_is_no_json_object(serving: Serving, data: bytes) -> None:
    headers = {"content-type": "application/json"}
    refused(serving.client.post("/api/chat", content=data, headers=headers), 400, "body")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_cannot_post(serving: Serving, kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    request = serving.client.build_request(
        "POST", "/api/chat", content=b'{"message":"go"}', headers=headers
    )
    refused(serving.client.send(request), 415, "content_type")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_has_a_limit(serving: Serving, chunked: bool) -> None:
    size, piece = 33 << 20, b" " * (1 << 20)
    with socket.create_connection(("127.0.0.1", serving.port), 30) as connection:
        framing = "transfer-encoding: chunked" if chunked else f"content-length: {size}"
        lines = ["POST /api/chat HTTP/1.1", f"host: 127.0.0.1:{serving.port}", framing]
        lines += [f"authorization: Bearer {serving.token}", "content-type: application/json"]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            for _ in range(33):
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        except OSError:
            pass  # It has said no already.
        answer = b""
        while b"}}" not in answer and (more := connection.recv(65536)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 413 ") and b'"the body is longer than 32 MiB"' in answer


PATHS = [
    ("GET", "/api/sessions"),
    ("GET", "/api/sessions/x/events"),
    ("GET", "/api/models"),
    ("GET", "/api/schema"),
    ("GET", "/openapi.json"),
    ("GET", "/api/ai-sdk/x/stream"),
    ("GET", "/v1/models"),
    ("GET", "/nowhere"),
    ("POST", "/api/chat"),
    ("POST", "/api/sessions/x/cancel"),
    ("POST", "/api/sessions/x/permissions/y"),
    ("POST", "/api/ai-sdk"),
    ("POST", "/v1/chat/completions"),
    ("OPTIONS", "/api/chat"),
    ("DELETE", "/api/sessions/x"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nothing_is_had_without_the_token(serving: Serving, method: str, path: str) -> None:
    wrong = ["", "Bearer", "Bearer x", f"Basic {serving.token}", f"Bearer {serving.token}x"]
    body = {"json": BODY} if method == "POST" else {}
    for authorization in wrong:
        headers = {"authorization": authorization} if authorization else {}
        with bare(serving, **headers) as client:
            response = client.request(method, path, **body)
            refused(response, 401, "token")
            assert response.headers["www-authenticate"] == "Bearer"
            response = client.request(method, path, params={"token": serving.token}, **body)
            refused(response, 401, "token")  # An address opens the page and nothing else.


@pytest.mark.parametrize(("method", "path"), [*PATHS, ("GET", "/"), ("GET", "/page/app.js")])
def test_another_sites_name_for_us_is_refused(serving: Serving, method: str, path: str) -> None:
    """DNS rebinding: a name of theirs, which now is our address."""
    names = ["evil.example", f"evil.example:{serving.port}", "localhost.evil.example", ""]
    names += ["evil.example@127.0.0.1", "127.0.0.1.evil.example", "[evil]", "localhost.", "a b"]
    for name in names:
        response = serving.client.request(method, path, headers={"host": name})
        assert "evil" not in name or "evil" in refused(response, 403, "host")
        refused(response, 403, "host")


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8321", "10.1.2.3"]
)
def test_an_address_is_nobodys_name(serving: Serving, name: str) -> None:
    """A tunnel, a proxy or another address of the machine."""
    assert serving.client.get("/api/sessions", headers={"host": name}).status_code == 200


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_page_of_another_site_is_refused(serving: Serving, method: str, path: str) -> None:
    """Even with the token: the user's browser would send the cookie along."""
    here = serving.url
    other = f"http://127.0.0.1:{serving.port + 1}"
    for origin in ("https://evil.example", "null", other, "http://127.0.0.1", f"{here}.evil", "x"):
        headers = {"origin": origin}
        refused(serving.client.request(method, path, headers=headers), 403, "origin")
    for site in ("cross-site", "same-site"):
        headers = {"sec-fetch-site": site}
        refused(serving.client.request(method, path, headers=headers), 403, "origin")


def test_the_address_becomes_a_cookie(serving: Serving) -> None:
    with bare(serving) as client:
        response = client.get("/", params={"token": serving.token})
        assert (response.status_code, response.headers["location"]) == (303, "/")
        cookie = response.headers["set-cookie"]
        assert cookie == (f"a3s-{serving.port}={serving.token}; HttpOnly; Path=/; SameSite=strict")
        assert client.get("/api/sessions").json() == []
        # With it alone a page may read, and change nothing unless it says that it is ours.
        refused(client.post("/api/chat", json=BODY), 403, "origin")
        wrong = {"message": ""}
        own = {"origin": serving.url, "sec-fetch-site": "same-origin"}
        refused(client.post("/api/chat", json=wrong, headers=own), 400, "usage")
        # A token that is sent is the one that counts.
        headers = {"authorization": "Bearer x"}
        refused(client.get("/api/sessions", headers=headers), 401, "token")
    with bare(serving) as client:
        refused(client.get("/", params={"token": "x"}), 401, "token")
        refused(client.get("/api/sessions"), 401, "token")


def test_every_response_says_what_a_browser_may_do(serving: Serving) -> None:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    for path in ("/", "/page/app.js", "/api/models", "/nowhere", "/?token=x"):
        headers = serving.client.get(path).headers
        assert headers["content-security-policy"] == policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] in ("no-cache", "no-store")
        assert "server" not in headers


PLACES = ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py", "/page//etc/passwd"]


@pytest.mark.parametrize("path", ["/nowhere", "/page/nothing.js", "/page/", *PLACES])
def test_there_is_no_such_thing(serving: Serving, path: str) -> None:
    with socket.create_connection(("127.0.0.1", serving.port), 30) as connection:
        lines = [f"GET {path} HTTP/1.1", f"host: 127.0.0.1:{serving.port}", "connection: close"]
        lines += [f"authorization: Bearer {serving.token}"]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 404 ") and b'"code":"not_found"' in answer


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/chat"), ("POST", "/api/sessions"), ("PUT", "/v1/models")]
)
def test_another_method_is_refused(serving: Serving, method: str, path: str) -> None:
    body = {"json": {}} if method != "GET" else {}
    refused(serving.client.request(method, path, **body), 405, "method")


@pytest.mark.parametrize("path", ["events", "cancel", "permissions/c1"])
def test_a_session_that_never_was(serving: Serving, path: str) -> None:
    body = {"json": {"answer": "once"}} if path != "events" else {}
    method = "POST" if body else "GET"
    for name in ("never", "..", "%2e%2e%2fx", "x" * 100):
        response = serving.client.request(method, f"/api/sessions/{name}/{path}", **body)
        refused(response, 404, "not_found")


def test_a_place_that_nobody_can_have_seen(host: Host) -> None:
    serving = host.serve([text("ok")])
    events = serving.ask("go", sessionId="s")
    run, count = events[0]["runId"], len(events)
    for last in ("x", "1x", "-1", "1.5", f"{run}:", f"{run}:x", "other:1", f"{run}:{count}", "99"):
        headers = {"last-event-id": last}
        response = serving.client.get("/api/sessions/s/events", headers=headers)
        assert "Last-Event-ID" in refused(response, 400, "usage")


def test_a_websocket_is_not_opened(serving: Serving) -> None:
    headers = {"connection": "upgrade", "upgrade": "websocket"}
    headers |= {"sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==", "sec-websocket-version": "13"}
    assert serving.client.get("/api/chat", headers=headers).status_code == 405
