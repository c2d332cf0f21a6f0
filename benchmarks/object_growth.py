"""Measure what a growing object costs: four times the object, under five times the time.

    python -m benchmarks.object_growth [KILOBYTES]

Each kind of object is read in pieces as a model writes them, with every partial
document made, at one and at four times the size, in time of the processor. What
is printed are facts of this machine; the tests count work instead. The status is
1 when an object of four times the size takes five times as long.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from collections.abc import Callable

from a3s_cli.objects.growing import Growing

#: Characters in a piece: about what one token is.
PIECE = 4

KINDS: dict[str, Callable[[int], object]] = {
    "one string": lambda size: {"text": "word " * (size // 5)},
    "escapes": lambda size: {"text": '"\n' * (size // 4)},
    "numbers": lambda size: list(range(100_000, 100_000 + size // 8)),
    "records": lambda size: [{"id": n, "name": "a name", "tags": ["x"]} for n in range(size // 48)],
    "nested": lambda size: [[[{"a": [[n]]}]] for n in range(size // 24)],
}


def grow(text: str) -> tuple[float, int, int]:
    """Return the seconds, documents and bytes that an object costs."""
    growing = Growing()
    begun = time.process_time()
    shown = [growing.feed(text[at : at + PIECE]) for at in range(0, len(text), PIECE)]
    growing.final(growing.finish())
    seconds = time.process_time() - begun
    documents = [document for document in shown if document]
    return seconds, len(documents), sum(map(len, documents))


def peak(text: str) -> float:
    """Return the peak memory as a multiple of the text."""
    tracemalloc.start()
    growing = Growing()
    for at in range(0, len(text), PIECE):
        growing.feed(text[at : at + PIECE])
    growing.finish()
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest / len(text)


def main() -> int:
    """Print one line for each kind of object."""
    size = int(sys.argv[1] if len(sys.argv) > 1 else 250) * 1024
    print("object         KiB       s   x4, s  ratio  shown    KiB  memory")
    worst = 0.0
    for name, make in KINDS.items():
        one, four = (json.dumps(make(factor * size), separators=(",", ":")) for factor in (1, 4))
        first = min(grow(one)[0] for _ in range(3))
        second, documents, printed = min(grow(four) for _ in range(3))
        worst = max(worst, second / first)
        print(
            f"{name:<12}{len(one) // 1024:>6}{first:>8.3f}{second:>8.3f}{second / first:>7.2f}"
            f"{documents:>7}{printed // 1024:>7}{peak(one):>7.1f}x"
        )
    return 0 if worst < 5 else 1


if __name__ == "__main__":
    sys.exit(main())
