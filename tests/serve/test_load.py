"""Many at the same time: each gets what is its own, whole and in its order."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx  # noqa: TID251 - clients of the server under test

from ..support import laws
from ..support.replies import text
from .serving import HANG, Host, Serving, Stream, lawful

CLIENTS = 50


def together(times: int, one: Callable[[int], None]) -> None:
    """Do something in so many threads, and raise what went wrong in one of them."""
    wrong: list[BaseException] = []

    def tried(number: int) -> None:
        try:
            one(number)
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            wrong.append(error)

    threads = [threading.Thread(target=tried, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * HANG)
    if wrong:
        raise wrong[0]


def client(serving: Serving) -> httpx.Client:
    headers = {"authorization": f"Bearer {serving.token}"}
    return httpx.Client(
        base_url=serving.url, headers=headers, timeout=2 * HANG, trust_env=False, verify=False
    )


def test_many_runs_go_on_at_once(host: Host) -> None:
    gate = threading.Event()
    serving = host.serve([text("a", gate, *"bcdef")], after="repeat")
    begun = threading.Barrier(CLIENTS, timeout=2 * HANG)
    texts: list[str] = []

    def one(number: int) -> None:
        body = {"message": str(number)}
        with client(serving) as own, own.stream("POST", "/api/chat", json=body) as response:
            stream = Stream(response)
            frames = stream.take("text_delta")
            begun.wait()  # All of them are in the middle of theirs.
            gate.set()
            events = lawful(frames + list(stream))
            assert events[0]["prompt"] == str(number)
            texts.append(events[-1]["text"])

    together(CLIENTS, one)
    assert texts == ["abcdef"] * CLIENTS
    asked = sorted(int(seen.body["messages"][-1]["content"]) for seen in serving.model.requests)
    assert asked == list(range(CLIENTS))


def test_many_want_one_session(host: Host) -> None:
    """Each prompt is run once and whole, or refused: never two at a time, never one twice."""
    serving = host.serve([text("a", "b")], after="repeat")
    done: list[str] = []
    refused: list[int] = []

    def one(number: int) -> None:
        for turn in range(4):
            body = {"message": f"{number}.{turn}", "sessionId": "s"}
            with client(serving) as own, own.stream("POST", "/api/chat", json=body) as response:
                if response.status_code == 409:
                    refused.append(number)
                else:
                    done.append(Stream(response).whole()[0]["prompt"])

    together(8, one)
    assert done and len(done) + len(refused) == 32
    with serving.events("s") as stream:
        frames = list(stream)
    starts = [place for place, one in enumerate(frames) if one.data.startswith(b'{"type":"start"')]
    runs = [frames[a:b] for a, b in zip(starts, [*starts[1:], len(frames)], strict=True)]
    prompts = [lawful(run)[0]["prompt"] for run in runs]
    assert sorted(prompts) == sorted(done)
    # The model was told of each before the next.
    said = [one["content"] for one in serving.model.requests[-1].body["messages"]]
    assert [one for one in said[1:] if one != "ab"] == prompts
    assert laws.parse(frames[-1].data + b"\n")[0]["type"] == "end"
