"""The items of a batch, read once to be checked and again, one by one, to be run.

Memory holds no prompt: of an item, its place in the file, half of its digest and one byte
of its state, and an index from ids to places that stores no id. A million items fit in
some dozen megabytes. What is in the file is held against the digest when it is read
again, so that a file that was changed meanwhile is noticed.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from ..errors import UsageError
from ..jsontext import TOO_DEEP, is_too_deep, loads
from .item import BadItem, Item, item_of
from .openai_form import item_fields
from .shard import Shard

#: Bad lines that are named; the rest is counted.
NAMED = 8
#: Bytes of a digest that are kept in memory.
_DIGEST = 16
#: Characters of the hash that names an item without an id.
HASH_ID = 32
#: Part of the index that may be used before it grows.
_FULL = 0.6


class Items:
    """The items of one file of NDJSON, by their places from 0."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO = path.open("rb")
        self._offsets = array("Q")
        self._digests = bytearray()
        self._index = _Index()
        self._shard = Shard()

    def __len__(self) -> int:
        return len(self._offsets)

    @classmethod
    def scan(
        cls,
        path: Path,
        name: str,
        check: Callable[[Item], None] = lambda _: None,
        shard: Shard | None = None,
        unit: str = "line",
    ) -> Items:
        """Read and check every line; keep those of the shard.

        `check` may raise BadItem. Raises UsageError with the numbers of bad lines, `name`
        being what the user calls the file and `unit` what a line of it was there.
        """
        try:
            items = cls(path)
        except OSError as error:
            raise UsageError(f"{name}: {error.strerror}") from None
        wrong: list[str] = []
        count = 0
        numbers = array("I")
        for number, offset, line in _lines(items._file):
            try:
                item = read_item(line)
                check(item)
                numbers.append(number)
                if (first := items.add(item, offset)) is not None:
                    raise BadItem(f"the id {item.id!r} is that of {unit} {numbers[first]} already")
            except BadItem as error:
                count += 1
                if count <= NAMED:
                    wrong.append(f"{unit} {number}: {error}")
        if count:
            more = f"; and {count - NAMED} more bad {unit}s" if count > NAMED else ""
            raise UsageError(f"{name}: {'; '.join(wrong)}{more}")
        if not len(items):
            raise UsageError(f"{name}: there are no items", hint='one a line: {"prompt": "…"}')
        if shard is not None and shard.count > 1:
            items._keep(shard)
        return items

    def add(self, item: Item, offset: int) -> int | None:
        """Add the next item; return the place of the one that has its id, if one has."""
        first = self._index.add(item.id, len(self._offsets), lambda at: self._at(at).id == item.id)
        self._offsets.append(offset)
        self._digests += bytes.fromhex(item.sha256)[:_DIGEST]
        return first

    def line_place(self, place: int) -> int:
        """Return an item's place in the whole data set, of which this may be a shard."""
        return place * self._shard.count + self._shard.number - 1

    def _keep(self, shard: Shard) -> None:
        kept = [place for place in range(len(self)) if shard.has(place)]
        self._shard = shard
        offsets = array("Q", (self._offsets[place] for place in kept))
        digests = b"".join(self._digest(place) for place in kept)
        self._offsets, self._digests, self._index = offsets, bytearray(digests), _Index()
        for place in range(len(self)):
            self._index.add(self._at(place).id, place, lambda _: False)

    def read(self, place: int) -> tuple[Item, bytes]:
        """Return an item and its line.

        Raises UsageError if it is not what it was when it was checked.
        """
        try:
            line = self._line(place)
            item = read_item(line)
        except (BadItem, OSError):
            item, line = None, b""
        if item is None or not self.same(place, item.sha256):
            raise UsageError(f"{self.path}: it was changed while the batch ran")
        return item, line

    def find(self, id: str) -> int | None:
        """Return the place of the item with this id."""
        return self._index.find(id, lambda at: self._at(at).id == id)

    def same(self, place: int, sha256: str) -> bool:
        """Tell whether the item at a place has this digest."""
        return bytes.fromhex(sha256)[:_DIGEST] == self._digest(place)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _digest(self, place: int) -> bytes:
        return bytes(self._digests[place * _DIGEST : (place + 1) * _DIGEST])

    def _at(self, place: int) -> Item:
        return read_item(self._line(place))

    def _line(self, place: int) -> bytes:
        self._file.seek(self._offsets[place])
        return _stripped(self._file.readline())


def read_item(line: bytes) -> Item:
    """Return the item of a line of NDJSON. Raises BadItem."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            value = loads(line)  # a huge integer, or what is wrong
        except ValueError as error:
            raise BadItem(f"it is not valid JSON: {error}") from None
    if is_too_deep(value, line):
        raise BadItem(f"it is not valid JSON: {TOO_DEEP}")
    if not isinstance(value, dict):
        raise BadItem('it is not a JSON object such as {"id": "1", "prompt": "…"}')
    if "custom_id" in value:
        value = item_fields(value)
    return item_of(value, hashlib.sha256(line.strip()).hexdigest()[:HASH_ID])


def _lines(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Yield the number, the offset and the bytes of each line that is not blank.

    The position of the file may be changed in between.
    """
    offset = 0
    number = 0
    while True:
        file.seek(offset)
        # A block of lines at a time: a seek for each would cost more than reading it.
        block = file.readlines(1 << 20)
        if not block:
            return
        for line in block:
            number += 1
            stripped = _stripped(line, first=number == 1)
            if stripped:
                yield number, offset, stripped
            offset += len(line)


def _stripped(line: bytes, *, first: bool = True) -> bytes:
    return (line.removeprefix(b"\xef\xbb\xbf") if first else line).strip()


class _Index:
    """From ids to places, by their hashes: an open-addressed table of two flat arrays."""

    def __init__(self) -> None:
        self._size = 1 << 10
        self._used = 0
        #: The place plus one; 0 is free.
        self._places = array("I", bytes(array("I").itemsize * self._size))
        self._hashes = array("Q", bytes(8 * self._size))

    def add(self, id: str, place: int, same: Callable[[int], bool]) -> int | None:
        """Add an id; return the place that is there already, where `same` confirms it."""
        digest = _hash(id)
        slot = digest % self._size
        while held := self._places[slot]:
            if self._hashes[slot] == digest and same(held - 1):
                return held - 1
            slot = (slot + 1) % self._size
        self._places[slot], self._hashes[slot] = place + 1, digest
        self._used += 1
        if self._used > _FULL * self._size:
            self._grow()
        return None

    def find(self, id: str, same: Callable[[int], bool]) -> int | None:
        digest = _hash(id)
        slot = digest % self._size
        while held := self._places[slot]:
            if self._hashes[slot] == digest and same(held - 1):
                return held - 1
            slot = (slot + 1) % self._size
        return None

    def _grow(self) -> None:
        places, hashes, size = self._places, self._hashes, self._size * 2
        self._size = size
        self._places = array("I", bytes(array("I").itemsize * size))
        self._hashes = array("Q", bytes(8 * size))
        for held, digest in zip(places, hashes, strict=True):
            if held:
                slot = digest % size
                while self._places[slot]:
                    slot = (slot + 1) % size
                self._places[slot], self._hashes[slot] = held, digest


def _hash(id: str) -> int:
    return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest(), "little")
