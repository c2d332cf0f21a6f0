"""The table of models: what a name means in it, what it is made of, and that it is sound."""

from __future__ import annotations

import re

import pytest

from a3s_cli.prices.table import TABLE, Model, Tier, date, find
from a3s_cli.prices.update import LARGEST, rows_of

LINES = TABLE.read_text("ascii").splitlines()


def test_it_is_small_sorted_and_dated() -> None:
    assert TABLE.stat().st_size <= LARGEST
    assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", date())
    names = [line.partition("\t")[0] for line in LINES[1:]]
    assert names == sorted(set(names)) and len(names) > 1000


def test_every_line_is_a_model_with_a_price() -> None:
    for line in LINES[1:]:
        vendor, _, name = line.partition("\t")[0].partition("/")
        model = find(vendor, name)
        assert isinstance(model, Model)
        assert model.price.input + model.price.output > 0
        assert (model.above is None) == (model.price_above is None)


SONNET = Tier(3.0, 15.0, 0.3, 3.75)


@pytest.mark.parametrize(
    "provider, model",
    [
        ("anthropic", "claude-sonnet-4-5"),
        ("claude", "claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("anthropic", "claude-sonnet-4-5-20991231"),
        ("anthropic", "claude-sonnet-4-5-2099-12-31"),
        ("anthropic", "claude-sonnet-4-5-latest"),
        ("anthropic", "Claude-Sonnet-4-5"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
        ("openrouter", "anthropic/claude-sonnet-4.5:beta"),
        ("vercel", "anthropic/claude-sonnet-4-5"),
        ("proxy", "anthropic/claude-sonnet-4-5"),
        ("proxy", "team/anthropic/claude-sonnet-4-5"),
        ("proxy", "claude-sonnet-4-5"),
        ("vertex", "claude-sonnet-4-5@20250929"),
    ],
)
def test_the_names_of_one_model(provider: str, model: str) -> None:
    found = find(provider, model)
    assert found is not None and found.price == SONNET
    assert (found.context_tokens, found.sees_images, found.sees_pdf) == (200_000, True, True)


def test_a_cloud_has_its_own_price_in_a_region() -> None:
    found = find("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert found is not None and found.price.input == 3.3
    assert find("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0") == found
    undated = find("aws", "eu.anthropic.claude-opus-4-6-20991231-v3:0")
    assert undated is not None


@pytest.mark.parametrize(
    "provider, model",
    [
        ("openai", "test-model"),
        ("openai", ""),
        ("openai", "gpt"),
        ("openai", "gpt-4o\t1"),
        ("openai", "gpt-4o\nopenai/gpt-4o"),
        ("", "gpt-4o/"),
        # What runs on one's own machine sends no bill, and open weights run anywhere.
        ("ollama", "gpt-oss:20b"),
        ("vllm", "claude-sonnet-4-5"),
        ("proxy", "llama-3.3-70b-instruct"),
        ("proxy", "mistral-large-latest"),
        # At a gateway, that is a model of its own.
        ("openrouter", "deepseek/deepseek-r1:free"),
        # A vendor's own names mean its own models.
        ("mistral", "gpt-4o"),
        ("openai", "é" * 1000),
    ],
)
def test_what_is_not_in_it(provider: str, model: str) -> None:
    assert find(provider, model) is None


def test_a_listed_model_becomes_a_line() -> None:
    listed = {
        "sample_spec": {"mode": "chat"},
        "gemini/gemini-x": {
            "litellm_provider": "gemini",
            "mode": "chat",
            "input_cost_per_token": 1.25e-06,
            "output_cost_per_token": 1e-05,
            "cache_read_input_token_cost": 1.25e-07,
            "input_cost_per_token_above_200k_tokens": 2.5e-06,
            "output_cost_per_token_above_200k_tokens": 1.5e-05,
            "input_cost_per_token_above_200k_tokens_priority": 9.0,
            "max_input_tokens": 1048576,
            "max_output_tokens": 65535,
            "supports_vision": True,
            "supports_pdf_input": True,
            "supports_function_calling": True,
        },
        "gpt-x": {
            "litellm_provider": "openai",
            "mode": "chat",
            "input_cost_per_token": 3e-07,
            "output_cost_per_token": 6e-07,
        },
        # Without a price, or of another kind, or of a vendor that is not known here.
        "gpt-free": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0.0,
                     "output_cost_per_token": 0.0},
        "gpt-half": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06},
        "ada": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 1e-06},
        "who": {"litellm_provider": "who", "mode": "chat", "input_cost_per_token": 1e-06},
    }  # fmt: skip
    assert rows_of(listed) == [
        "gemini/gemini-x\t1.25 10 0.125 \t200000 2.5 15  \t1048576\t65535\t1\t1\t1",
        "openai/gpt-x\t0.3 0.6  \t\t\t\t0\t0\t",
    ]
