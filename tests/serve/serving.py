"""`a3s serve` for tests: started as a user starts it, spoken to as a client does."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx  # noqa: TID251 - a client of the server under test

from ..support import laws
from ..support.a3s import MODELS, Bench
from ..support.laws import Event
from ..support.replies import Reply, Wire
from ..support.run import Run
from ..support.server import Server

#: Far beyond anything but a hang.
HANG = 30.0


@dataclass(frozen=True)
class Frame:
    """One server-sent event: its id, and the line that it carries."""

    id: str
    data: bytes


class Serving:
    """One server."""

    def __init__(self, run: Run, model: Server) -> None:
        self.run = run
        #: The scripted model.
        self.model = model
        run.wait_for_output(b"\n")
        self.address = bytes(run._out).decode().strip()
        parts = urlsplit(self.address)
        assert parts.port and parts.query.startswith("token="), self.address
        self.port: int = parts.port
        self.token = parts.query.removeprefix("token=")
        self.url = f"http://{parts.netloc}"
        self.client = httpx.Client(
            base_url=self.url,
            headers={"authorization": f"Bearer {self.token}"},
            timeout=HANG,
            trust_env=False,
            verify=False,  # there is no TLS, whose authorities take long to load
        )

    @contextmanager
    def chat(self, message: str, **more: Any) -> Iterator[Stream]:
        """Post a prompt, and read what comes of it."""
        body = {"message": message, **more}
        with self.client.stream("POST", "/api/chat", json=body) as response:
            yield Stream(response)

    def ask(self, message: str, **more: Any) -> list[Event]:
        """Post a prompt, read the stream to its end, and hold it against the laws."""
        with self.chat(message, **more) as stream:
            return stream.whole()

    @contextmanager
    def events(self, session: str, last: str | None = None) -> Iterator[Stream]:
        """Follow a session, as one who has seen everything up to `last`."""
        headers = {} if last is None else {"last-event-id": last}
        path = f"/api/sessions/{session}/events"
        with self.client.stream("GET", path, headers=headers) as response:
            yield Stream(response)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.client.post(path, json={} if body is None else body)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the server; give its status as `subprocess` tells it."""
        self.run.signal(number)
        return self.run.finish(HANG).exit_status


class Stream:
    """A response that is an event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status = response.status_code
        #: Comments that came between the frames.
        self.comments: list[bytes] = []
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def _read(self) -> Iterator[Frame]:
        rest = b""
        for piece in self.response.iter_raw():
            *blocks, rest = (rest + piece).split(b"\n\n")
            for block in blocks:
                if block.startswith(b":"):
                    self.comments.append(block)
                    continue
                # Exactly these two fields, in this order.
                first, second = block.split(b"\n")
                assert first.startswith(b"id: ") and second.startswith(b"data: "), block
                yield Frame(first[4:].decode(), second[6:])
        assert rest == b"", rest

    def take(self, wanted: int | str) -> list[Frame]:
        """Read so many frames, or up to the first of a type."""
        found: list[Frame] = []
        for frame in self:
            found.append(frame)
            if len(found) == wanted or frame.data.startswith(
                b'{"type":"%b"' % str(wanted).encode()
            ):
                return found
        raise AssertionError(f"{wanted} did not come: {found}")

    def whole(self) -> list[Event]:
        """Read a run to its end, and hold it against the laws."""
        assert self.status == 200, self.response.read()
        return lawful(list(self))


def lawful(frames: Sequence[Frame]) -> list[Event]:
    """Hold the frames of one whole run against the laws; give its events."""
    events = laws.parse(b"".join(frame.data + b"\n" for frame in frames))
    laws.check_stream(events, None)
    run = events[0]["runId"]
    assert [frame.id for frame in frames] == [f"{run}:{event['seq']}" for event in events]
    return events


def wait_until(holds: Callable[[], bool], timeout: float = HANG) -> None:
    """Wait for a condition, with a bound."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


class Host:
    """Starts servers in a clean place."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._servings: list[Serving] = []

    def serve(
        self,
        script: Sequence[Reply],
        *options: str,
        after: Literal["fail", "repeat"] = "fail",
        wire: Wire = "openai-chat",
        env: Mapping[str, str | None] | None = None,
        ignore: Sequence[int] = (),
    ) -> Serving:
        """Start a server whose model plays a script."""
        model = self.bench.serve(script, wire, after)
        # A busy machine is no silent model.
        patient = ("--idle-timeout", "10m")
        command = ("serve", "--port", "0", "-m", MODELS[wire], *patient, *options)
        environment = self.bench.environment(model) | dict(env or {})
        run = self.bench.spawn(*command, env=environment, ignore=ignore)
        serving = Serving(run, model)
        self._servings.append(serving)
        return serving

    def close(self) -> None:
        """End every server, which must still be there or have been ended by its test."""
        for serving in self._servings:
            serving.client.close()
            if serving.run.process.poll() is None:
                assert serving.stop() == -signal.SIGTERM
