"""What is known of each vendor, and what it makes of a model's name."""

from __future__ import annotations

import subprocess  # noqa: TID251 - what is imported is seen in a process of its own
import sys
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.config.base_urls import BaseUrl, is_loopback, normalise
from a3s_cli.config.vendors import ALIASES, VENDORS, key_variables, url_variables
from a3s_cli.errors import AuthError, ConfigError
from a3s_cli.model import Endpoint
from a3s_cli.registry import WIRES
from tests.support.house import place, refusal


@pytest.mark.parametrize("name", VENDORS)
def test_every_vendor_is_whole(name: str) -> None:
    vendor = VENDORS[name]
    assert vendor.wire in WIRES
    assert name.isalnum() and name.islower()
    if vendor.base_url:
        assert normalise(vendor.base_url, vendor.wire) == BaseUrl(vendor.base_url)
    assert set(vendor.quirks) <= {
        "max_tokens_field", "stream_options", "reasoning_replay", "auth_header", "done_ends",
        "object_modes", "tool_files", "document_url",
    }  # fmt: skip


def test_aliases_lead_to_vendors() -> None:
    assert set(ALIASES.values()) <= set(VENDORS)
    assert not set(ALIASES) & set(VENDORS)


@pytest.mark.parametrize("name", [name for name, vendor in VENDORS.items() if vendor.base_url])
def test_every_vendor_works_with_its_variables_alone(work: Path, name: str) -> None:
    vendor = VENDORS[name]
    for variable in key_variables(name):
        found = place(work, f"{name}/some/model:1", **{variable: "sk-1"})
        assert (found.provider, found.model, found.wire) == (name, "some/model:1", vendor.wire)
        assert (found.base_url, found.api_key) == (vendor.base_url, "sk-1")
        assert found.quirks == vendor.quirks
    for variable in url_variables(name):
        found = place(work, f"{name}/m", **{variable: "http://127.0.0.1:9/v1"})
        assert (found.base_url, found.api_key) == ("http://127.0.0.1:9/v1", None)


def test_variables_of_the_common_vendors() -> None:
    assert key_variables("openai") == ("OPENAI_API_KEY",)
    assert key_variables("anthropic") == ("ANTHROPIC_API_KEY",)
    assert key_variables("gemini") == ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    assert key_variables("huggingface") == ("HF_TOKEN", "HUGGINGFACE_API_KEY")
    assert key_variables("my-own.proxy") == ("MY_OWN_PROXY_API_KEY",)
    assert url_variables("openai") == ("OPENAI_BASE_URL", "OPENAI_API_BASE")
    assert url_variables("azure")[0] == "AZURE_BASE_URL"


@pytest.mark.parametrize("name", ["ollama", "vllm", "llamacpp", "lmstudio"])
def test_local_servers_need_no_key(work: Path, name: str) -> None:
    found = place(work, f"{name}/m")
    assert found.api_key is None
    assert is_loopback(found.base_url)


@pytest.mark.parametrize(("alias", "name"), [("google", "gemini"), ("claude", "anthropic")])
def test_a_vendor_by_its_other_name(work: Path, alias: str, name: str) -> None:
    variable = key_variables(name)[0]
    found = place(work, f"{alias}/m", **{variable: "k"})
    assert (found.wire, found.base_url) == (VENDORS[name].wire, VENDORS[name].base_url)
    text = f'providers "{alias}" {{ apiKey = "file" baseUrl = "http://h.example/v1" }}'
    for model in (f"{alias}/m", f"{name}/m"):
        found = place(work, model, text)
        assert (found.api_key, found.base_url) == ("file", "http://h.example/v1")


def test_no_key_says_what_to_export(work: Path) -> None:
    cases = {
        "openai/m": ("", "OPENAI_API_KEY"),
        "gemini/m": ("", "GEMINI_API_KEY"),
        "mine/m": ('providers "mine" { baseUrl = "https://h.example" }', "MINE_API_KEY"),
        "openai/n": ('providers "openai" { apiKey = env("TEAM_KEY") }', "TEAM_KEY"),
        "openai/o": ('providers "openai" { models "o" { apiKey = env("O_KEY") } }', "O_KEY"),
    }
    for model, (text, variable) in cases.items():
        with pytest.raises(AuthError) as caught:
            place(work, model, text)
        name = model.partition("/")[0]
        why = f': env("{variable}") has no value' if "env(" in text else ""
        assert (str(caught.value), caught.value.hint) == (
            f"no API key for {name}{why}",
            f"export {variable}=…",
        )
        assert caught.value.exit_status == 77


def test_a_loopback_url_of_any_provider_needs_no_key(work: Path) -> None:
    for url in ("http://127.0.0.1:8080", "http://localhost:1/v1", "http://[::1]:2"):
        assert place(work, "openai/m", OPENAI_BASE_URL=url).api_key is None
        assert place(work, "anthropic/m", ANTHROPIC_BASE_URL=url).api_key is None
        assert place(work, "mine/m", f'providers "mine" {{ baseUrl = "{url}" }}').api_key is None


def test_a_header_of_ones_own_is_a_key(work: Path) -> None:
    text = 'providers "m" { baseUrl = "https://h.example" headers = { Authorization = "Basic x" } }'
    found = place(work, "m/m", text)
    assert (found.api_key, found.headers) == (None, {"authorization": "Basic x"})


@pytest.mark.parametrize(
    ("key", "correction"),
    [
        ("sk-SECRET\n", "remove the space or line break around it"),
        (" sk-SECRET", "remove the space or line break around it"),
        ("Bearer sk-SECRET", "leave out the word Bearer"),
        ("sk-SECRET\nsk-SECRET", "copy it again"),
        ("sk-SECRÉT", "copy it again"),
        ("“sk-SECRET”", "copy it again"),
        ("sk-SECRET\x00", "copy it again"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused(work: Path, key: str, correction: str) -> None:
    found = refusal(work, "openai/m", OPENAI_API_KEY=key)
    expected = "an API key of printable ASCII, without space or line break"
    assert found == f"OPENAI_API_KEY: expected {expected}; {correction}"


def test_no_repr_of_an_endpoint_has_the_key(work: Path) -> None:
    text = 'providers "openai" { headers = { "x-a" = "sk-SECRET" } }'
    assert "SECRET" not in repr(place(work, "openai/m", text, OPENAI_API_KEY="sk-SECRET"))


def test_environment_before_file_and_model_before_provider(work: Path) -> None:
    text = """
    providers "openai" {
      api_key = "file"
      base_url = "https://file.example"
      headers = { "X-A" = "1", "X-B" = "2" }
      models "gpt-x" {}
      models "gpt-x-proxy" {
        apiKey = env("PROXY_KEY") baseUrl = "https://proxy.example/v1" headers = { "x-b" = "3" }
        limit = { context = 200000, output = 8192 } tool_call = false temperature = false
      }
    }"""
    found = place(work, "openai/gpt-x", text)
    assert (found.base_url, found.api_key) == ("https://file.example/v1", "file")
    assert (found.max_output_tokens, found.context_tokens) == (None, None)
    variables = {
        "OPENAI_API_KEY": "env",
        "OPENAI_BASE_URL": "https://env.example",
        "PROXY_KEY": "proxy",
    }
    found = place(work, "openai/gpt-x", text, **variables)
    assert (found.base_url, found.api_key) == ("https://env.example/v1", "env")
    found = place(work, "openai/gpt-x-proxy", text, **variables)
    assert found == Endpoint(
        provider="openai",
        model="gpt-x-proxy",
        wire="openai-chat",
        base_url="https://proxy.example/v1",
        api_key="proxy",
        headers={"x-a": "1", "x-b": "3"},
        quirks={"tool_call": False, "temperature": False},
        max_output_tokens=8192,
        context_tokens=200000,
    )


@pytest.mark.parametrize("wire", WIRES)
def test_a_wire_by_name(work: Path, wire: str) -> None:
    text = f'providers "mine" {{ baseUrl = "https://h.example" apiKey = "k" api = "{wire}" }}'
    assert place(work, "mine/m", text).wire == wire
    model = f'models "m" {{ api = "{wire}" }}'
    text = f'providers "mine" {{ baseUrl = "https://h.example" apiKey = "k" {model} }}'
    assert place(work, "mine/m", text).wire == wire
    assert place(work, "mine/other", text).wire == "openai-chat"


def test_quirks_of_openai_are_not_those_of_every_compatible_server(work: Path) -> None:
    own = place(work, "openai/m", OPENAI_API_KEY="k").quirks
    assert own == {"max_tokens_field": "max_completion_tokens"}
    assert place(work, "openai/m", OPENAI_BASE_URL="http://127.0.0.1:1").quirks == {}
    deepseek = place(work, "deepseek/m", DEEPSEEK_BASE_URL="http://127.0.0.1:1").quirks
    assert deepseek["reasoning_replay"] == "reasoning_content"


def test_a_provider_of_the_environment_alone(work: Path) -> None:
    found = place(work, "corp/m", CORP_BASE_URL="https://llm.corp.example", CORP_API_KEY="k")
    assert (found.wire, found.base_url, found.api_key) == (
        "openai-chat", "https://llm.corp.example/v1", "k",
    )  # fmt: skip


def test_no_base_url(work: Path) -> None:
    for model, text in {"azure/m": "", "mine/m": 'providers "mine" { apiKey = "k" }'}.items():
        name = model.partition("/")[0]
        with pytest.raises(ConfigError) as caught:
            place(work, model, text)
        assert str(caught.value) == f"the provider {name} has no base URL"
        assert caught.value.hint == (
            f"export {name.upper()}_BASE_URL=https://…/v1, or set baseUrl in"
            f' providers "{name}" {{ … }}'
        )


def imported(code: str) -> set[str]:
    command = [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"]
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    return set(result.stdout.split())


def test_a_configuration_costs_no_import(work: Path) -> None:
    heavy = {
        "httpx", "pydantic", "asyncio", "tomllib", "difflib", "json", "subprocess", "dataclasses",
        "a3s_cli.providers", "a3s_cli.config.endpoints",
    }  # fmt: skip
    code = (
        "from pathlib import Path\n"
        "from a3s_cli.config.layers import load\n"
        "from a3s_cli.config.model_names import model_name\n"
        f"model_name(load({{'model': 'openai/x'}}, {{'HOME': {str(work)!r}}}, Path('/')))"
    )
    found = imported(code)
    assert not found & (heavy | {"a3s_cli.config.acl", "a3s_cli.config.file"})
    (work / ".a3s").mkdir()
    (work / ".a3s" / "config.acl").write_text('max_turns = 3 providers "openai" { apiKey = "k" }')
    found = imported(code)
    assert "a3s_cli.config.acl" in found
    assert not found & heavy


def test_an_alias_and_its_vendor_are_one_configuration(work: Path) -> None:
    """Two blocks under two names stay two providers; each is found by its own name."""
    text = (
        'providers "claude" { apiKey = "a" baseUrl = "http://a.example" }\n'
        'providers "anthropic" { apiKey = "b" baseUrl = "http://b.example" }'
    )
    keys: dict[str, Any] = {
        name: place(work, f"{name}/m", text).api_key for name in ("claude", "anthropic")
    }
    assert keys == {"claude": "a", "anthropic": "b"}
