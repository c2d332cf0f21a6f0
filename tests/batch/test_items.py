"""What a data set may say: everything that is wrong is found before anything runs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .bench import BatchBench

GOOD = {"id": "a", "prompt": "say a"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not valid JSON"),
        ("[1]", "not a JSON object"),
        ('{"id": "a"}', 'no "prompt"'),
        ('{"prompt": " "}', '"prompt" is blank'),
        ('{"prompt": 1}', '"prompt" is not a string'),
        ('{"prompt": "x", "allow": ["bash"]}', "no field 'allow'"),
        ('{"prompt": "x", "sandbox": "off"}', "no field 'sandbox'"),
        ('{"prompt": "x", "timeOut": 3}', "did you mean 'timeout'"),
        ('{"prompt": "x", "timeout": -1}', "not a duration"),
        ('{"prompt": "x", "maxTurns": 0}', "not a whole number"),
        ('{"prompt": "x", "cwd": "/"}', "is outside "),
        ('{"prompt": "x", "cwd": "../.."}', "is outside "),
        ('{"prompt": "x", "cwd": "out"}', "is outside "),
        ('{"prompt": "x", "cwd": "missing"}', "is not a directory"),
        ('{"prompt": "x", "model": "openai/other"}', "not allowed; name it in --item-models"),
        ('{"prompt": "x", "schema": {"type": 1}}', '"schema"'),
        ('{"prompt": "x", "schema": "/etc/passwd"}', "is outside "),
        ('{"prompt": "x", "schema": "out/schema.json"}', "is outside "),
        ('{"prompt": "x", "schema": "secret.json"}', "secret.json"),
        ('{"prompt": "x", "schema": "items.ndjson"}', "not valid JSON"),
        (json.dumps({"prompt": "x", "id": "é" * 101}), "more than 200 bytes"),
        (json.dumps(GOOD), "the id 'a' is that of line 1 already"),
        ('{"custom_id": "x", "body": {"messages": [], "model": "m"}}', "a single user message"),
        ('{"custom_id": "x", "body": {"messages": [{"role": "user", "content": "x"}], "top_p": 1}}',
         '"body.top_p" cannot be honoured'),
    ],
)  # fmt: skip
def test_a_bad_line_is_named(batch: BatchBench, line: str, said: str) -> None:
    (batch.work / "out").symlink_to("/")
    (batch.work / "secret.json").write_text('{"type": "object"}')
    (batch.work / "items.ndjson").write_text(json.dumps(GOOD) + "\n\n" + line + "\n")
    result = batch("items.ndjson", "--deny", "read(secret.json)")
    assert (result.status, result.stdout) == (2, b"")
    told = result.stderr.decode()
    assert "items.ndjson: line 3: " in told
    assert said in told
    assert not (batch.work / "items.ndjson.batch").exists()
    assert not batch.model.prompts


def test_every_bad_line_is_counted(batch: BatchBench) -> None:
    batch.items([GOOD, *[{"id": "b"}] * 20])
    told = batch("items.ndjson").stderr.decode()
    assert "line 2: " in told and "line 9: " in told and "and 12 more bad lines" in told


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_a_data_set_without_items(batch: BatchBench, data: bytes) -> None:
    (batch.work / "items.ndjson").write_bytes(data)
    result = batch("items.ndjson")
    assert (result.status, result.stdout) == (2, b"")
    assert b"there are no items" in result.stderr


def test_a_changed_item_under_an_old_id(batch: BatchBench) -> None:
    batch.items([GOOD])
    assert batch("items.ndjson").status == 0
    batch.items([{**GOOD, "prompt": "say b"}])
    result = batch("items.ndjson")
    assert (result.status, result.stdout) == (2, b"")
    assert b"the item 'a' was changed" in result.stderr
    # The order of keys and white space are no change.
    (batch.work / "items.ndjson").write_text('  {"prompt":"say a","id":"a"}  \n')
    assert batch("items.ndjson").status == 0


def test_items_say_how_they_differ(batch: BatchBench) -> None:
    (batch.work / "sub").mkdir()
    (batch.work / "sub/schema.json").write_text('{"type": "object"}')
    batch.items(
        [
            {"id": "1", "prompt": "say 1", "cwd": "sub", "system": "s", "meta": {"any": [1]}},
            {"id": 2, "prompt": "say 2", "model": "openai/other", "timeout": "5m", "maxTurns": 3},
            {"id": "x/ü 3", "prompt": "say {}", "schema": "schema.json", "cwd": "sub"},
        ]
    )
    result = batch("items.ndjson", "--item-models", "openai/other", "--record")
    assert result.status == 0, result.stderr
    starts = {one["item"]: one for one in result.of("start")}
    assert starts["1"]["cwd"] == str(batch.work / "sub")
    assert starts["2"]["model"] == "openai/other"
    ends = {one["item"]: one for one in result.of("item_end")}
    assert isinstance(ends["x/ü 3"]["object"], dict)
    assert ends["2"]["text"] == "2"


def test_openai_form(batch: BatchBench) -> None:
    body: dict[str, Any] = {"model": "m", "max_tokens": 50, "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "say hello"}]},
    ]}  # fmt: skip
    line = {"custom_id": "r-1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    batch.items([line])
    assert batch("items.ndjson").status == 0
    assert batch.texts("items.ndjson.batch") == {"r-1": "hello"}


def test_csv(batch: BatchBench) -> None:
    table = 'id,name,"what, then"\r\n1,Ann,"a ""b""\nc"\r\n2,Bob,{x}\r\n'
    (batch.work / "people.csv").write_text("\ufeff" + table)
    result = batch("people.csv", "--prompt", "say {name}: {what, then} {{}}")
    assert result.status == 0, result.stderr
    want = {"1": 'Ann: a "b"\nc {}', "2": "Bob: {x} {}"}
    assert batch.texts("people.csv.batch") == want
    wrong = batch("people.csv", "--prompt", "say {nam}", "-d", "other")
    assert (wrong.status, wrong.stdout) == (2, b"")
    assert b"no column 'nam'" in wrong.stderr and b"{name}" in wrong.stderr
    attribute = batch("people.csv", "--prompt", "say {name.__class__}", "-d", "other")
    assert attribute.status == 2


def test_a_bad_row_is_counted_as_a_row(batch: BatchBench) -> None:
    (batch.work / "people.csv").write_text('id,name\nx,"Ann\nLee"\nx,Bob\n')
    result = batch("people.csv", "--prompt", "say {name}")
    assert result.status == 2
    assert result.stderr.endswith(b"people.csv: row 2: the id 'x' is that of row 1 already\n")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--max-cost", "nan"),
        ("--max-cost", "inf"),
        ("--max-cost", "-1"),
        ("--rpm", "nan"),
        ("--tpm", "inf"),
        ("--max-failures", "nan%"),
    ],
)
def test_a_limit_that_holds_nothing_back(batch: BatchBench, option: str, value: str) -> None:
    batch.items([{"id": "a", "prompt": "say a"}])
    result = batch("items.ndjson", option, value)
    assert (result.status, result.stdout) == (2, b"")
    assert result.stderr.startswith(f"a3s: {option}".encode())
    assert b"expected a number" in result.stderr
    assert not (batch.work / "items.ndjson.batch").exists()


def test_stdin_is_kept_for_a_resume(batch: BatchBench) -> None:
    lines = b'{"id": "a", "prompt": "say a"}\n{"prompt": "say b"}\n'
    assert batch("-", stdin=lines).status == 2  # where would it be kept?
    first = batch("-", "-d", "kept", stdin=lines)
    assert first.status == 0
    assert batch.texts("kept").keys() > {"a"}
    again = batch("-", "-d", "kept")
    assert (again.events[0]["items"], again.events[0]["done"]) == (2, 2)


def test_shards_are_disjoint_and_merge(batch: BatchBench) -> None:
    batch.say(7)
    for number in (1, 2, 3):
        result = batch("items.ndjson", "--shard", f"{number}/3", "-d", "kept")
        assert result.status == 0
        assert result.last["items"] == (3 if number == 1 else 2)
    assert batch.texts("kept") == {f"i{n}": str(n) for n in range(7)}
    assert [one["item"] for one in batch.results("kept", order="input")] == [
        f"i{n}" for n in range(7)
    ]
    assert batch.model.prompts.total() == 7
    for wrong in ("0/3", "4/3", "x", "1/0"):
        assert batch("items.ndjson", "--shard", wrong).status == 2


def test_attachments(batch: BatchBench) -> None:
    png = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    (batch.work / "sub").mkdir()
    (batch.work / "sub/dot.png").write_bytes(png)
    data = base64.b64encode(png).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    content = [{"type": "text", "text": "say c"}, image]
    batch.items(
        [
            {"id": "a", "prompt": "say a", "cwd": "sub", "attachments": ["dot.png"]},
            {"id": "b", "prompt": "say b", "attachments": [{"name": "x.txt", "data": "aGk="}]},
            {"custom_id": "c", "body": {"messages": [{"role": "user", "content": content}]}},
        ]
    )
    result = batch("items.ndjson")
    assert result.status == 0, result.stderr
    given = {one["item"]: one["attachments"] for one in result.of("start")}
    assert {name: [one["mediaType"] for one in many] for name, many in given.items()} == {
        "a": ["image/png"], "b": ["text/plain"], "c": ["image/png"],
    }  # fmt: skip
    for bad in ("/etc/passwd", "missing.png", "sub/../../x"):
        batch.items([{"id": "z", "prompt": "x", "attachments": [bad]}], "bad.ndjson")
        refused = batch("bad.ndjson")
        assert (refused.status, refused.stdout) == (2, b"")
        assert b"line 1" in refused.stderr
