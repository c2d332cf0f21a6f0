"""The examples of the manual are configurations: each is read without a notice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from a3s_cli.config.endpoints import endpoint
from a3s_cli.config.layers import load

PAGE = Path(__file__).parents[2] / "a3s_cli/manual/prose/a3s-config.5.md"
BLOCKS = [
    "\n".join(line[4:] for line in block.splitlines())
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE.read_text(), re.MULTILINE)
    if "providers" in block or "permissions" in block
]


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_is_a_configuration(tmp_path: Path, text: str) -> None:
    environment = {"WORK_KEY": "k", "GATEWAY_KEY": "k"}
    environment["WORK_BASE_URL"] = "https://llm.example.com/v1"
    config = load({}, environment, tmp_path, config_text=text, project=False)
    assert config.notices == []
    for provider in config.providers.values():
        for model in provider.models:
            found = endpoint(config, f"{provider.name}/{model}", environment)
            assert found.base_url


def test_the_examples_name_a_gateway_and_every_local_server() -> None:
    text = "\n".join(BLOCKS)
    names = ("gateway", "ollama", "vllm", "llamacpp", "lmstudio")
    assert [name for name in names if f'providers "{name}"' not in text] == []
