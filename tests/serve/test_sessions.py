"""The list of sessions over HTTP: what it says, searching it, removing from it."""

from __future__ import annotations

import json

from ..support.replies import stall, text
from .serving import Host


def test_what_the_list_says(host: Host) -> None:
    serving = host.serve([text("one"), text("two")])
    serving.ask("first", sessionId="s")
    (row,) = serving.client.get("/api/sessions").json()
    (told,) = json.loads(host.bench("sessions", "list", "--json").stdout)
    assert row == {**told, "live": False}
    assert (row["verdict"], row["runs"]) == ("success", 1) and row["totalTokens"] > 0
    assert host.bench("sessions", "rename", "s", "The parser").status == 0
    assert serving.client.get("/api/sessions").json()[0]["title"] == "The parser"


def test_searching(host: Host) -> None:
    """All sessions of this workspace are searched, by title, prompt and id."""
    serving = host.serve([text("ok")] * 3)
    for name, prompt in (("a", "Fix the Straße"), ("b", "fix the door"), ("c", "hello")):
        serving.ask(prompt, sessionId=name)
    host.bench("sessions", "rename", "c", "Fixed for good")

    def found(words: str) -> list[str]:
        return [
            row["id"] for row in serving.client.get("/api/sessions", params={"q": words}).json()
        ]

    assert (found("fix"), found("the FIX"), found("strasse")) == (
        ["c", "b", "a"],
        ["b", "a"],
        ["a"],
    )
    assert (found("hello"), found("b"), found("nothing"), found(" ")) == (
        ["c"],
        ["b"],
        [],
        ["c", "b", "a"],
    )


def test_removing(host: Host) -> None:
    serving = host.serve([text("ok"), stall("half")])
    serving.ask("first", sessionId="a")
    with serving.chat("second", sessionId="b") as stream:
        stream.take("text_delta")
        refused = serving.client.delete("/api/sessions/b")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "busy")
        assert serving.client.delete("/api/sessions/a").status_code == 204
        assert serving.client.delete("/api/sessions/a").status_code == 404
        assert [row["id"] for row in serving.client.get("/api/sessions").json()] == ["b"]
        serving.post("/api/sessions/b/cancel")
        stream.take("error")
    # A session of another directory is not this server's.
    other = host.bench.root / "other"
    other.mkdir()
    made = host.bench("run", "third", cwd=other, script=[text("ok")])
    assert serving.client.delete(f"/api/sessions/{made.events[0]['sessionId']}").status_code == 404


def test_who_may_remove(host: Host) -> None:
    """Neither a page of another site nor a request without the token."""
    serving = host.serve([text("ok")])
    serving.ask("first", sessionId="a")
    for headers in (
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"authorization": "Bearer wrong"},
    ):
        assert serving.client.delete("/api/sessions/a", headers=headers).status_code in (401, 403)
    assert len(serving.client.get("/api/sessions").json()) == 1
