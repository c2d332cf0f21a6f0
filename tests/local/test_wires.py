"""An answer that goes round in a circle is ended; any other is not."""

from __future__ import annotations

import json

import pytest

from a3s_cli.local.wires import TAIL, LocalDecoder, LocalWire, goes_round
from a3s_cli.model import CallChunk, Endpoint, StopChunk
from a3s_cli.providers.openai_chat import OpenAIChat


def decoder() -> LocalDecoder:
    made = LocalWire(OpenAIChat(), ()).decoder(Endpoint("local", "m", "openai-chat", ""))
    assert isinstance(made, LocalDecoder)
    return made


def delta(text: str) -> tuple[str, str]:
    return "", json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]})


@pytest.mark.parametrize("beginning", ["", "<tool=write>\n<file_path>a</file_path>\n<content>\n"])
def test_a_circle_ends_the_answer(beginning: str) -> None:
    made = decoder()
    chunks = made.feed([delta(beginning), *[delta("print('hello')\n")] * 300])
    assert made.complete
    assert chunks[-1] == StopChunk("end_turn", "repetition")
    assert not any(isinstance(chunk, CallChunk) for chunk in chunks)
    assert len("".join(chunk for chunk in chunks if isinstance(chunk, str))) < 400
    assert made.feed([delta("more")]) == []


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"line {number} of the list\n" for number in range(90)),
        "| a | b |\n|---|---|\n" + "-" * 400,
        "0" * 15 + "yes yes yes",
        "print('hello')\n" * 7,
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    assert not goes_round(text[-TAIL:])
    assert decoder().feed([delta(text)])[-1:] != [StopChunk("end_turn", "repetition")]
