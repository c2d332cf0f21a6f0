"""Hides the secrets that a3s holds from everything that it writes and tells the model.

Where a secret stood there stands `[redacted:NAME]`. No part of an occurrence
survives: of two that overlap both are hidden, and of two that begin together
the longer. A text that comes in pieces gives the same as the whole would,
however it was cut: only a tail that could begin a secret is held back, so that
nothing else waits. Texts without a secret, which is to say nearly all, cost one
search for each.

A secret is found as it is, and as JSON writes it: that is how it stands in the
arguments of a call and in what many programs print. In other guises (base64,
a URL's escapes, reversed) it is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Characters that a value needs: a shorter one is part of too many innocent words.
SHORTEST = 8
#: Characters of a secret's beginning by which it is known where a sentence quotes only that: more
#: than what all keys of a vendor have in common.
_FRAGMENT = 16
#: A longer value is hidden in pieces of this size, so that what is held back stays short.
_PIECE = 1024
#: Bytes that suffice for a secret behind the end of a text that will be cut there.
MARGIN = 4 * 2 * _PIECE
#: Characters of one line of a value: files and logs show the lines of a key one by one.
_LINE = 16


class Redactor:
    """Replaces known secret values by `[redacted:NAME]`. False where it knows none."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        names: dict[str, str] = {}
        for name, value in (secrets or {}).items():
            for guise in _guises(value):
                names.setdefault(guise, name)
        #: What to look for, and what stands for it; the longest first.
        self._marks = {
            guise: f"[redacted:{names[guise]}]" for guise in sorted(names, key=len, reverse=True)
        }
        #: The guises by their first letter: most texts end in none that begins a secret.
        self._heads: dict[str, list[str]] = {}
        for guise in self._marks:
            self._heads.setdefault(guise[0], []).append(guise)

    def __bool__(self) -> bool:
        return bool(self._marks)

    def finds(self, text: str) -> bool:
        """Say whether a secret stands in a text."""
        # Not `any(…)`: a generator costs more than the searches.
        for guise in self._marks:  # noqa: SIM110
            if guise in text:
                return True
        return False

    def whole(self, text: str) -> str:
        """Return a whole text without the secrets; the same object if it has none."""
        if not self.finds(text):
            return text
        stream = self.stream()
        return stream.feed(text) + stream.finish()

    def unsplit(self, text: str, begin: int, end: int) -> tuple[int, int]:
        """Widen a part of a text until it splits no secret: a part of one is not found later."""
        before = -1, -1
        while before != (begin, end) and begin < end and self.finds(text):
            before = begin, end
            for start, stop, _ in self.found(text, len(text)):  # they may overlap
                if start < end and stop > begin:
                    begin, end = min(begin, start), max(end, stop)
        return begin, end

    def sentence(self, text: str) -> str:
        """Return a sentence without secrets, including the start of one that was cut off."""
        text = self.whole(text)
        for guise, mark in self._marks.items():
            at = text.find(guise[:_FRAGMENT]) if len(guise) > _FRAGMENT else -1
            while at >= 0:
                end = at + _FRAGMENT
                while text[end : end + 1] == guise[end - at : end - at + 1] != "":
                    end += 1
                text = text[:at] + mark + text[end:]
                at = text.find(guise[:_FRAGMENT], at + len(mark))
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets, in keys as well; the same object if it has none."""
        if isinstance(value, str):
            return self.whole(value)
        if isinstance(value, dict):
            pairs = {self.whole(key): self.value(one) for key, one in value.items()}
            same = all(a is b for a, b in zip(value.values(), pairs.values(), strict=False))
            return value if same and value.keys() == pairs.keys() else pairs
        if isinstance(value, list | tuple):
            items = [self.value(one) for one in value]
            return value if all(a is b for a, b in zip(value, items, strict=True)) else items
        if isinstance(value, int | float) and self.finds(digits := str(value)):
            return self.whole(digits)
        return value

    def stream(self) -> RedactedStream:
        """Return a redactor for a text that arrives in pieces."""
        return RedactedStream(self)

    def undecided(self, text: str) -> int:
        """Return the index from which the rest could be the start of a secret, or the length."""
        length = first = len(text)
        for head, guises in self._heads.items():
            at = text.find(head, max(0, length - len(guises[0]) + 1), first)
            while at >= 0:
                tail = text[at:]
                for guise in guises:
                    if len(tail) < len(guise) and guise.startswith(tail):
                        first = at
                        break
                at = text.find(head, at + 1, first)
        return first

    def found(self, text: str, before: int) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, mark) of every occurrence that starts `before`, even overlapping ones.

        From left to right, and of those that start together the longest first.
        """
        places = []
        for guise, mark in self._marks.items():
            at = text.find(guise)
            while 0 <= at < before:
                places.append((at, -len(guise), mark))
                at = text.find(guise, at + 1)
        return ((at, at - length, mark) for at, length, mark in sorted(places))


class RedactedStream:
    """One text that comes in pieces: `feed` gives what can be shown, `finish` the rest.

    True while something is held back.
    """

    __slots__ = ("_covered", "_held", "_mark", "_redactor", "replaced")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        #: What could begin a secret, how much of it belongs to one that was replaced already,
        #: and what stands there for that.
        self._held = ""
        self._covered = 0
        self._mark = ""
        #: How many secrets have been replaced.
        self.replaced = 0

    def feed(self, text: str) -> str:
        """Take the next piece."""
        text = self._held + text
        return self._show(text, self._redactor.undecided(text))

    def feed_harmless(self, texts: list[str]) -> list[str] | None:
        """Take pieces without a secret, at little cost; None, and nothing taken, if one is there.

        Gives as many pieces as are not empty.
        """
        texts = [self._held + texts[0], *texts[1:]] if self._held else texts
        text = "".join(texts) if len(texts) > 1 else texts[0]
        if self._covered or self._redactor.finds(text):
            return None
        self._held = text[self._redactor.undecided(text) :]
        return _without_tail(texts, len(self._held)) if self._held else texts

    def __bool__(self) -> bool:
        return bool(self._held)

    def finish(self) -> str:
        """Return what was held back: the text is complete, and a new one may begin."""
        return self._show(self._held, len(self._held))

    def _show(self, text: str, decided: int) -> str:
        """Replace what starts in the decided part of the text, and hold the other part back."""
        shown = []
        end = self._covered
        if self._redactor.finds(text):
            for start, stop, mark in self._redactor.found(text, decided):
                if stop <= end:
                    continue
                shown.append(text[end:start])
                # One that runs on in itself is one.
                if start >= end or mark != self._mark:
                    shown.append(mark)
                    self.replaced += 1
                    self._mark = mark
                end = stop
        shown.append(text[end:decided])
        self._held = text[decided:]
        self._covered = max(0, end - decided)
        return "".join(shown)


def _without_tail(texts: list[str], tail: int) -> list[str]:
    """Return the pieces without their last characters, dropping those that become empty."""
    texts = list(texts)
    while tail and tail >= len(texts[-1]):
        tail -= len(texts.pop())
        if not texts:
            return texts
    if tail:
        texts[-1] = texts[-1][:-tail]
    return texts


def _guises(value: str) -> Iterator[str]:
    """Return every spelling in which a value is looked for."""
    value = value.strip()
    parts = [value]
    if "\n" in value:
        lines = (line.strip() for line in value.splitlines())
        parts += [one for one in lines if len(one) >= _LINE and not one.startswith("-----")]
    for part in parts:
        for guise in dict.fromkeys((part, *_as_json(part))):
            if len(part) >= SHORTEST:
                yield from _pieces(guise)


def _as_json(text: str) -> tuple[str, ...]:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return ()
    import json

    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


def _pieces(text: str) -> Iterator[str]:
    """Cut a long text into pieces that are never short themselves."""
    while len(text) >= 2 * _PIECE:
        yield text[:_PIECE]
        text = text[_PIECE:]
    yield text


#: Knows no secrets.
NOTHING = Redactor()
