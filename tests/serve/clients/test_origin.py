"""A page of another origin, such as an app under development that uses `useChat`."""

from __future__ import annotations

import pytest

from ...support.replies import text
from ..serving import Host

APP = "http://localhost:3000"
ASKING = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}
BODY = {"id": "c", "messages": [{"role": "user", "parts": [{"type": "text", "text": "Go."}]}]}


def test_an_origin_that_the_user_allows(host: Host) -> None:
    serving = host.serve([text("Done.")], "--allow-origin", APP)
    path, client = "/api/ai-sdk", serving.client
    asked = client.options(path, headers={"origin": APP, "authorization": "", **ASKING})
    assert asked.status_code == 204
    allowed = {
        name: asked.headers[f"access-control-allow-{name}"] for name in ("origin", "headers")
    }
    assert allowed == {"origin": APP, "headers": ASKING["access-control-request-headers"]}
    assert asked.headers["vary"] == "Origin"
    # A cookie is never asked for: the page has to have the token.
    assert "access-control-allow-credentials" not in asked.headers

    foreign = {"origin": APP, "sec-fetch-site": "cross-site"}
    answer = client.post(path, json=BODY, headers=foreign)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, APP)
    assert '"delta":"Done."' in answer.text

    cookie = {"cookie": f"a3s-{serving.port}={serving.token}", "authorization": ""}
    refused = client.post(path, json=BODY, headers={**foreign, **cookie})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token")
    assert len(serving.model.requests) == 1


def test_any_other_is_refused(host: Host) -> None:
    serving = host.serve([], "--allow-origin", APP)
    for origin in (
        "http://localhost:3001",
        "https://localhost:3000",
        "null",
        "http://evil.example",
    ):
        for method in ("OPTIONS", "POST"):
            headers = {"origin": origin, **ASKING}
            refused = serving.client.request(method, "/api/ai-sdk", json=BODY, headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "origin")
            assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("origin", ["localhost:3000", "http://localhost:3000/", "*", "null"])
def test_what_is_no_origin_is_a_usage_error(host: Host, origin: str) -> None:
    result = host.bench("serve", "--port", "0", "-m", "openai/x", "--allow-origin", origin)
    assert (result.status, result.stdout) == (2, b"")
    assert b"expected an origin such as http://localhost:3000, without a path" in result.stderr
