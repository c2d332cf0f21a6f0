"""Servers on other machines: found through the variables that people have set already."""

from __future__ import annotations

from pathlib import Path

import pytest

from a3s_cli.config.endpoints import endpoint
from a3s_cli.config.layers import load
from a3s_cli.errors import AuthError
from a3s_cli.model import Endpoint


def place(model: str, tmp_path: Path, **environment: str) -> Endpoint:
    config = load({}, environment, tmp_path, project=False)
    return endpoint(config, model, environment)


@pytest.mark.parametrize("name", ["ollama", "vllm", "llamacpp", "lmstudio", "lm-studio"])
def test_they_need_no_key(tmp_path: Path, name: str) -> None:
    variable = f"{name.upper().replace('-', '_')}_BASE_URL"
    found = place(f"{name}/m", tmp_path, **{variable: "http://gpu-box:9000"})
    assert (found.base_url, found.api_key) == ("http://gpu-box:9000/v1", None)


def test_others_do(tmp_path: Path) -> None:
    with pytest.raises(AuthError):
        place("openai/m", tmp_path, OPENAI_BASE_URL="http://gpu-box:9000")


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("gpu-box", "http://gpu-box:11434/v1"),
        ("gpu-box:8080", "http://gpu-box:8080/v1"),
        ("10.0.0.5", "http://10.0.0.5:11434/v1"),
        (":11435", "http://127.0.0.1:11435/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080/v1"),
        ("[::]:8080", "http://127.0.0.1:8080/v1"),
        ("[fd12::1]", "http://[fd12::1]:11434/v1"),
        ("http://gpu-box:11434", "http://gpu-box:11434/v1"),
        ("https://ollama.example.com", "https://ollama.example.com/v1"),
        ("https://ollama.example.com/path/", "https://ollama.example.com/path/v1"),
    ],
)
def test_where_ollama_listens(tmp_path: Path, value: str, url: str) -> None:
    assert place("ollama/m", tmp_path, OLLAMA_HOST=value).base_url == url


def test_other_names_of_variables(tmp_path: Path) -> None:
    found = place(
        "openai/m", tmp_path, OPENAI_API_BASE="https://gateway.example/v1", OPENAI_API_KEY="k"
    )
    assert found.base_url == "https://gateway.example/v1"
    both = {"OPENAI_API_BASE": "https://a.example", "OPENAI_BASE_URL": "https://b.example"}
    assert (
        place("openai/m", tmp_path, OPENAI_API_KEY="k", **both).base_url == "https://b.example/v1"
    )


def test_a_bearer_token_for_the_messages_protocol(tmp_path: Path) -> None:
    found = place("anthropic/m", tmp_path, ANTHROPIC_AUTH_TOKEN="t-1")
    assert (found.api_key, dict(found.headers)) == (None, {"authorization": "Bearer t-1"})
    found = place("anthropic/m", tmp_path, ANTHROPIC_AUTH_TOKEN="t-1", ANTHROPIC_API_KEY="k")
    assert (found.api_key, dict(found.headers)) == ("k", {})
