"""Names of models, and the answer to those that cannot be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from a3s_cli.config.layers import load
from a3s_cli.config.model_names import model_name, no_model
from a3s_cli.config.vendors import VENDORS
from a3s_cli.errors import ConfigError
from a3s_cli.model import Endpoint
from tests.support.house import place, refusal


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", "PROVIDER/MODEL, found gpt-4o; did you mean openai/gpt-4o?"),
        (
            "claude-sonnet",
            "PROVIDER/MODEL, found claude-sonnet; did you mean anthropic/claude-sonnet?",
        ),
        ("my-tuned", "PROVIDER/MODEL, found my-tuned; did you mean mine/my-tuned?"),
        ("openai", "PROVIDER/MODEL, found openai; add the model: openai/MODEL"),
        ("openai/", "PROVIDER/MODEL, found openai/; add the model: openai/MODEL"),
        ("/gpt-4o", "PROVIDER/MODEL, found /gpt-4o; did you mean openai/gpt-4o?"),
        ("locl", "PROVIDER/MODEL, found locl; did you mean local?"),
        ("local/", "PROVIDER/MODEL, found local/; did you mean local?"),
        ("anthropc", "PROVIDER/MODEL, found anthropc; did you mean anthropic/MODEL?"),
        ("replay", "PROVIDER/MODEL, found replay; add the recording: replay/RUN.ndjson"),
        ("", "PROVIDER/MODEL, found nothing; for example openai/gpt-5"),
        ("openai/gpt 4o", "a model's name without spaces; did you mean openai/gpt-4o?"),
        (" openai/gpt-4o\n", "a model's name without spaces; did you mean openai/gpt-4o?"),
        ("openai/\x1b[2J", "a model's name without spaces; did you mean PROVIDER/MODEL?"),
    ],
)
def test_a_name_that_cannot_be_right(work: Path, model: str, expected: str) -> None:
    text = 'providers "mine" { baseUrl = "http://h" models "my-tuned" {} }'
    assert refusal(work, model, text) == f"--model: expected {expected}"


@pytest.mark.parametrize(
    ("model", "message", "first"),
    [
        ("opnai/gpt-x", 'unknown provider "opnai"; did you mean "openai/gpt-x"?', "openai"),
        ("antropic/c", 'unknown provider "antropic"; did you mean "anthropic/c"?', "anthropic"),
        ("OpenAI/gpt-x", 'unknown provider "OpenAI"; did you mean "openai/gpt-x"?', "openai"),
        ("minee/m", 'unknown provider "minee"; did you mean "mine/m"?', "mine"),
        ("opnai/MODEL", 'unknown provider "opnai"; did you mean "openai"?', "openai"),
        # What is like nothing has no suggestion.
        ("nope/m", 'unknown provider "nope"', "openai"),
    ],
)
def test_an_unknown_provider_lists_the_known_nearest_first(
    work: Path, model: str, message: str, first: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        place(work, model, 'providers "mine" { baseUrl = "http://h" }')
    assert str(caught.value) == message
    hint = caught.value.hint or ""
    listed = hint.removeprefix("known: ").partition(";")[0].split(", ")
    assert listed[0] == first
    assert set(listed) == {"mine", "local", "replay", *VENDORS}


def test_a_name_says_where_it_came_from(work: Path) -> None:
    (work / "c.acl").write_text('default_model = "gpt-x"')
    for environment, origin in (({}, f"{work}/c.acl:1"), ({"A3S_MODEL": "gpt-x"}, "A3S_MODEL")):
        with pytest.raises(ConfigError, match=f"^{origin}: expected PROVIDER/MODEL"):
            model_name(load({}, environment, work, config_file="c.acl"))


@pytest.mark.parametrize(
    ("model", "name", "wire"),
    [
        ("local", "qwen2.5-coder-1.5b", "local"),
        ("local/qwen2.5-coder-0.5b", "qwen2.5-coder-0.5b", "local"),
        ("replay/dir/a run.ndjson", "dir/a run.ndjson", "replay"),
        ("replay//abs/run.ndjson", "/abs/run.ndjson", "replay"),
    ],
)
def test_models_that_are_no_servers(work: Path, model: str, name: str, wire: str) -> None:
    assert place(work, model) == Endpoint(provider=wire, model=name, wire=wire, base_url="")


def test_a_server_that_somebody_calls_local(work: Path) -> None:
    found = place(work, "local/m", 'providers "local" { baseUrl = "http://127.0.0.1:1" }')
    assert (found.wire, found.base_url) == ("openai-chat", "http://127.0.0.1:1/v1")


def test_no_model_names_three_ways_out(work: Path) -> None:
    assert model_name(load({}, {}, work)) is None
    for installed, way in ((True, "a3s models pull"), (False, "[local]")):
        error = no_model(installed)
        hint = error.hint or ""
        assert error.exit_status == 78
        assert "-m anthropic/MODEL" in hint and way in hint
        assert "a3s config set default_model PROVIDER/MODEL" in hint
