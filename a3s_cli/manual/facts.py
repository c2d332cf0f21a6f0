"""Facts about the program, as blocks: exit statuses, events, keys, tools.

Nothing is written twice: each fact comes from the docstring, the annotation or
the check that the program itself uses. The prose explains the rest, such as the
purpose of a key, and the facts are added to it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from ..config import settings
from ..errors import A3SError, Cancelled, ExitStatus, UsageError
from ..events import Denial, Event, camel
from ..messages import Usage
from ..registry import TOOLS, load
from .blocks import Block, Item, Paragraph

#: Statuses without a class of failures.
NO_FAILURE = {
    ExitStatus.OK: "Success.",
    ExitStatus.PIPE: "The reader of stdout went away (SIGPIPE); a run was cancelled at once.",
}
_SIGNALS = {
    ExitStatus.HANGUP: "SIGHUP",
    ExitStatus.INTERRUPT: "SIGINT",
    ExitStatus.TERMINATED: "SIGTERM",
}
#: Statuses that every command can have.
ALWAYS = (ExitStatus.OK, ExitStatus.USAGE, ExitStatus.INTERNAL, ExitStatus.OUTPUT)


#: All of them, in ascending order.
STATUSES = sorted(value for name, value in vars(ExitStatus).items() if name.isupper())


def exit_statuses(wanted: Iterable[int] = STATUSES) -> list[Block]:
    """Return each exit status with its meaning and its codes of `error`."""
    found: list[Block] = []
    for status in wanted:
        kinds = [kind for kind in _failures(A3SError) if kind.exit_status == status]
        if status in _SIGNALS:
            text = f"Ended by a signal: {_SIGNALS[status]}. The code of `error` is `cancelled`."
            found.append(Item(f"`{status}`", (Paragraph(text),)))
        elif status in NO_FAILURE:
            found.append(Item(f"`{status}`", (Paragraph(NO_FAILURE[status]),)))
        else:
            found.append(Item(f"`{status}`", tuple(_reasons(kinds))))
    return found


def run_statuses() -> list[Block]:
    """Return the exit statuses that a run can have."""
    judging = (ExitStatus.POLICY, ExitStatus.DATA)
    return exit_statuses(status for status in STATUSES if status not in judging)


def _reasons(kinds: Sequence[type[A3SError]]) -> Iterator[Block]:
    """Yield the meaning of a status; several codes form a list below it."""
    codes = {kind.code for kind in kinds}
    whole = _doc(kinds[0])
    if len(codes) == 1:
        yield Paragraph(f"{whole} (`{kinds[0].code}`)")
        return
    yield Paragraph(whole)
    for code in dict.fromkeys(kind.code for kind in kinds):
        texts = [_doc(kind) for kind in kinds[1:] if kind.code == code]
        yield Item(f"`{code}`", (Paragraph(" ".join(texts) or whole),))


def _doc(kind: type) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


def _failures(kind: type[A3SError]) -> Iterator[type[A3SError]]:
    if kind is not A3SError and kind is not Cancelled:
        yield kind
    for child in kind.__subclasses__():
        if child.__module__ != kind.__module__:
            continue  # a detail of another module, which may not be loaded
        yield from _failures(child)


# -- events ------------------------------------------------------------------------


def event_list() -> list[Block]:
    """Return each type of event with the sentence that says when it is emitted."""
    return [Item(f"`{name}`", (Paragraph(_doc(kind)),)) for name, kind in Event.kinds.items()]


def event_fields() -> list[Block]:
    """Return each type of event with all of its fields."""
    return [Item(f"`{name}`", tuple(_fields(kind))) for name, kind in Event.kinds.items()]


def batch_fields() -> list[Block]:
    """Return every event of a batch with its fields."""
    from ..events.batch import BatchEvent

    kinds = BatchEvent.batch_kinds.items()
    return [Item(f"`{name}`", tuple(_fields(kind))) for name, kind in kinds]


def _fields(kind: type[Event]) -> Iterator[Block]:
    yield Paragraph(_doc(kind))
    hints = typing.get_type_hints(kind, include_extras=True)
    for name, key in kind.fields:
        hint, description = get_args(hints[name])
        always = name in kind.required or key == "exitCode"
        absent = "" if always else "; optional"
        yield Item(f"`{key}` ({_type(hint)}{absent})", (Paragraph(description),))


def _type(hint: Any) -> str:
    """Return the name of an annotation's JSON type."""
    plain = {str: "string", int: "integer", float: "number", bool: "boolean", Any: "any JSON value"}
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(parts[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(part) for part in parts if part is not type(None))
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (list, tuple):
        return f"array of {_type(parts[0])}s"
    if hint in (Usage, Denial):
        return f"object: {', '.join(map(camel, _names(hint)))}"
    return plain.get(hint, "object")


def _names(record: type) -> list[str]:
    return [name for name in record.__dataclass_fields__ if name != "total_tokens"]  # type: ignore[attr-defined]


# -- the configuration -------------------------------------------------------------

Table = Mapping[str, settings.Key | settings.Check]
#: The sections of a3s-config(5) that explain keys.
KEYS: Mapping[str, Table] = {
    "SETTINGS": {
        **settings.KEYS,
        **{key: check for key, check in settings.LISTS.items() if key not in settings.RULES},
    },
    "PERMISSIONS": {
        **{rule: settings.LISTS[rule] for rule in settings.RULES},
        **settings.PERMISSION_KEYS,
    },
    "PROVIDERS": settings.PROVIDER_KEYS,
    "MODELS": {
        key: check
        for key, check in settings.MODEL_KEYS.items()
        if key not in settings.PROVIDER_KEYS
    },
}


def described(written: Sequence[Block], table: Table) -> list[Block]:
    """Add to each key of the prose its expected value, its default and its limits."""
    found: list[Block] = []
    told = set()
    for block in written:
        if isinstance(block, Item) and block.term in table:
            told.add(block.term)
            *before, last = block.body
            assert isinstance(last, Paragraph)
            text = f"{last.text} {_facts(block.term, table[block.term])}"
            found.append(Item(f"`{block.term}`", (*before, Paragraph(text))))
        else:
            found.append(block)
    untold = [key for key in table if key not in told]
    return [*found, *(Item(f"`{key}`", (Paragraph(_facts(key, table[key])),)) for key in untold)]


def _facts(name: str, entry: settings.Key | settings.Check) -> str:
    key = entry if isinstance(entry, settings.Key) else settings.Key(entry)
    text = _expected(key.check)
    if settings.LISTS.get(name) is key.check:
        text = f"a list of values, each {text}"
    if key.default is not None:
        text += f"; the default is {_shown(key.default)}"
    if key.limit:
        text += "; a project may lower it"
    return text[:1].upper() + text[1:] + "."


def _expected(check: settings.Check) -> str:
    """Return what a check accepts, from its message about a value that it rejects."""
    try:
        check("\0")
    except UsageError:
        return "a rule, as in a3s-policy(7)"
    except ValueError as error:
        return str(error.args[0])
    return "a string"


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


# -- names -------------------------------------------------------------------------


def tools() -> list[Block]:
    """Return the names of the tools, and of those that need no rule."""
    names = ", ".join(f"`{name}`" for name in TOOLS)
    free = ", ".join(f"`{name}`" for name, target in TOOLS.items() if load(target).harmless)
    return [Paragraph(f"The tools are {names}. Without any rule, {free} are allowed.")]


def providers() -> list[Block]:
    """Return the providers that only need a key."""
    from ..config.vendors import ALIASES, VENDORS, key_variables

    found: list[Block] = [
        Paragraph("For these providers, a key is enough; their address and protocol are built in:")
    ]
    for name in VENDORS:
        names = [name, *(alias for alias, meant in ALIASES.items() if meant == name)]
        term = ", ".join(f"`{one}`" for one in names)
        keys = " or ".join(f"`{variable}`" for variable in key_variables(name))
        found.append(Item(term, (Paragraph(f"{VENDORS[name].wire}; key: {keys}"),)))
    return found
