"""What a provider is sent: small, stable, and with the workspace's own instructions."""

from __future__ import annotations

import orjson

from ..support.a3s import Bench
from ..support.replies import text

ALL = ["bash", "read", "write", "edit", "grep", "glob", "ls", "web_fetch", "generate_object"]


def request(a3s: Bench, *options: str) -> dict[str, object]:
    result = a3s("run", "hello", *options, script=[text("yo")])
    body: dict[str, object] = result.requests[0].body
    return body


def names(body: dict[str, object]) -> list[str]:
    tools = body.get("tools", [])
    assert isinstance(tools, list)
    return [tool["function"]["name"] for tool in tools]


def system(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    assert [message["role"] for message in messages] == ["system", "user"]
    assert messages[1]["content"] == "hello"
    content: str = messages[0]["content"]
    return content


def test_it_is_small_and_in_a_stable_order(a3s: Bench) -> None:
    bodies = [orjson.dumps(request(a3s)) for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert len(bodies[0]) < 7000
    assert names(request(a3s)) == ALL


def test_the_tools_on_offer(a3s: Bench) -> None:
    assert names(request(a3s, "--tools", "ls,read")) == ["read", "ls"]
    assert "tools" not in request(a3s, "--tools", "none")


def test_the_workspace_describes_itself(a3s: Bench) -> None:
    (a3s.work / "AGENTS.md").write_text("Run make test.\n" + "x" * 40_000)
    told = system(request(a3s))
    assert "Run make test." in told and 32_000 < told.count("x") <= 32 * 1024
    assert "Run make test." not in system(request(a3s, "--no-project"))


def test_instructions_are_read_from_a_plain_file_only(a3s: Bench) -> None:
    secret = a3s.home / "secret"
    secret.write_text("the secret")
    (a3s.work / "AGENTS.md").symlink_to(secret)
    assert "the secret" not in system(request(a3s))


def test_the_system_prompt_can_be_replaced_and_added_to(a3s: Bench) -> None:
    assert system(request(a3s, "-s", "Be a pirate.")) == "Be a pirate."
    usual = system(request(a3s))
    assert system(request(a3s, "--append-system", "Be brief.")) == f"{usual}\n\nBe brief."
