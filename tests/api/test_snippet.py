"""The lines that every user copies first, as they stand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import a3s_cli
from a3s_cli import A3SError, Agent, Event, SessionOptions
from a3s_cli.events import TextDelta

from ..support.replies import text
from .conftest import Library, lawful

SNIPPET = """
from a3s_cli import Agent, SessionOptions, PermissionPolicy
agent = Agent.create(open("config.acl").read())          # ACL text, or a path
opts = SessionOptions()
opts.permission_policy = PermissionPolicy(default_decision="allow")
session = agent.session(".", opts)
for event in session.stream("Explain Python generators"):
    if event.type == "text_delta":
        print(event.text, end="", flush=True)
    elif event.type == "end":
        print(f"\\n[Done: {event.total_tokens} tokens]")
"""

CONFIG = """
default_model = "work/some-model"

providers "work" {
  api      = "openai-chat"
  base_url = "URL/v1"
  api_key  = env("WORK_KEY")
}
"""


@pytest.fixture
def configured(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    library.serve([text("A generator ", "yields.", usage=(10, 5))])
    (library.work / "config.acl").write_text(CONFIG.replace("URL", library.server.url))
    monkeypatch.setenv("WORK_KEY", "sk-work-0123456789")
    monkeypatch.chdir(library.work)
    return library


def test_the_snippet(configured: Library, capsys: pytest.CaptureFixture[str]) -> None:
    exec(SNIPPET, {})
    assert capsys.readouterr() == ("A generator yields.\n[Done: 15 tokens]\n", "")
    assert configured.asked(1) == [("user", "Explain Python generators")]
    assert configured.server.requests[0].headers["authorization"] == "Bearer sk-work-0123456789"


@pytest.mark.parametrize("source", ["config.acl", Path("config.acl"), "text", "no suffix"])
def test_where_the_configuration_comes_from(configured: Library, source: Any) -> None:
    if source == "text":
        source = Path("config.acl").read_text()
    elif source == "no suffix":
        source = os.fspath(Path("config.acl").rename("configuration"))
    assert Agent.create(source).session().send("hi").text == "A generator yields."


def test_without_one_it_is_what_the_command_line_finds(configured: Library) -> None:
    place = configured.bench.home / ".a3s" / "config.acl"
    place.parent.mkdir()
    Path("config.acl").rename(place)
    assert Agent.create().session(".").send("hi").text == "A generator yields."


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("missing.acl", "missing.acl: no such configuration file"),
        (Path("missing"), "missing: no such configuration file"),
        ("max_turns = ", "<text>:1:13: expected a value"),
        ("max_truns = 3\nmax_turns = none\n", "<text>:2:13: expected a whole number"),
    ],
)
def test_what_was_tried(configured: Library, source: Any, said: str) -> None:
    with pytest.raises(A3SError, match=said) as caught:
        Agent.create(source)
    assert (caught.value.code, caught.value.exit_status) == ("config", 78)


def test_a_mistyped_path_is_no_riddle(configured: Library) -> None:
    with pytest.raises(A3SError) as caught:
        Agent.create("settings/config.toml")
    assert (
        caught.value.hint
        == "taken as configuration text: a path ends in .acl or names an existing file"
    )


def test_no_workspace(configured: Library) -> None:
    with pytest.raises(A3SError, match="nowhere is not a directory"):
        Agent.create("config.acl").session("nowhere")


def test_an_event(configured: Library) -> None:
    events = lawful(Agent.create("config.acl").session(".").stream("hi"))
    assert [event.type for event in events] == [
        "start", "turn_start", "text_delta", "text_delta", "turn_end", "end",
    ]  # fmt: skip
    delta: Any = events[2]
    assert delta == TextDelta(text="A generator ")
    assert (delta.text, delta.tool_name, delta.exit_code, delta.redacted) == (
        "A generator ", None, None, None,
    )  # fmt: skip
    with pytest.raises(AttributeError, match="tool_nmae"):
        _ = delta.tool_nmae
    with pytest.raises(AttributeError, match="immutable"):
        delta.text = "other"
    assert delta.to_bytes() == delta.to_json().encode() + b"\n"
    assert isinstance(delta.to_json(), str) and "\n" not in delta.to_json()
    for event in events:
        assert json.loads(event.to_json()) == event.to_dict()
        assert list(event.to_dict())[:3] == ["type", "seq", "ts"]
        names = {name for kind in Event.kinds.values() for name, _ in kind.fields}
        for name in names:
            getattr(event, name)


def test_the_public_names() -> None:
    for name in a3s_cli.__all__:
        assert getattr(a3s_cli, name) is not None
    assert sorted(a3s_cli._HOMES) == sorted(a3s_cli.__all__)
    with pytest.raises(ImportError):
        from a3s_cli import Agnet  # type: ignore[attr-defined]  # noqa: F401
    with pytest.raises(AttributeError, match="did you mean permission_policy"):
        SessionOptions(permision_policy=None)  # type: ignore[call-arg]
