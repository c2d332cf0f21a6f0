"""Running `a3s batch` as a user's script would."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..support.a3s import Bench
from ..support.run import Result, Run
from .laws import Event, check_batch
from .model import Model


class BatchBench:
    """A place, a model, and batches in it."""

    def __init__(self, bench: Bench, model: Model) -> None:
        self.bench = bench
        self.model = model
        self.work = bench.work

    def items(self, values: Iterable[Any], name: str = "items.ndjson") -> Path:
        """Write a data set: one line for each value."""
        path = self.work / name
        path.write_text("".join(json.dumps(value) + "\n" for value in values))
        return path

    def say(self, number: int) -> Path:
        """Write items of one word each."""
        return self.items({"id": f"i{n}", "prompt": f"say {n}"} for n in range(number))

    def spawn(self, *args: str, **options: Any) -> Run:
        env = {**self.model.environment(), **options.pop("env", {})}
        return self.bench.spawn(
            "batch", *args, "-m", "openai/m", env=env, laws="none", quiet=False, **options
        )

    def __call__(self, *args: str, **options: Any) -> Result:
        """Run a batch to its end, and hold its stream against the laws."""
        result = self.spawn(*args, **options).finish()
        if result.stdout:
            check_batch(result.stdout, result.status)
        return result

    def results(self, *directories: str, order: str = "done") -> list[Event]:
        """What `a3s batch results` prints."""
        told = self.bench("batch", "results", *directories, "--order", order)
        assert (told.status, told.stderr) == (0, b"")
        return [json.loads(line) for line in told.stdout.splitlines()]

    def texts(self, *directories: str) -> dict[str, str]:
        """The text of every result, each of which exists once."""
        found = self.results(*directories)
        assert len({one["item"] for one in found}) == len(found)
        return {one["item"]: one["text"] for one in found}


def set_traps(workspace: Path) -> Path:
    """Write modules that a worker could import; return the file that importing one makes."""
    trapped = workspace / "trapped"
    for name in ("orjson", "click", "sitecustomize", "a3s_cli/__init__"):
        module = workspace / f"{name}.py"
        module.parent.mkdir(exist_ok=True)
        module.write_text(f"open({str(trapped)!r}, 'a').write({name!r})\n")
    return trapped
