"""A tool of an MCP server, as one of ours.

Everything that the server says of it is data: its name is made usable, its schema is
bounded before anything is held against it, and its annotations ("read-only",
"harmless") are shown to people and believed by nothing. So a call needs a rule, or the
user's word, whatever the server says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..jsonrpc import Disconnected, RpcError
from ..jsontext import clean, dumps
from ..messages import ToolSpec
from ..objects.schema import DEEPEST, Schema
from ..tool_protocol import Conditions, Tool, ToolContext, ToolError, ToolReturn
from ..validation import SchemaError
from ..values import Value
from .failure import ServerFailure, Unreached
from .names import tool_name
from .results import returned

if TYPE_CHECKING:
    from .session import Progress

#: Characters of a description, and of the line that stands for it where schemas are lazy.
LONGEST, LONGEST_LINE = 4000, 100
#: Bytes of one tool's schema.
LARGEST = 64 * 1024
#: Characters of progress that are shown of one call.
MOST_PROGRESS = 1024 * 1024
#: What every schema may be where the model has not loaded it.
ANYTHING = {"type": "object", "properties": {}, "additionalProperties": True}

#: Calls a tool by the server's own name for it.
CallServer = Callable[[str, dict[str, Any], "Progress"], Awaitable[Mapping[str, Any]]]


class Listed(Value):
    """A tool as its server lists it, made usable."""

    server: str
    #: The server's own name, and ours.
    own_name: str
    name: str
    description: str
    #: Its schema as the server wrote it, and as the model is told it.
    schema: dict[str, Any]
    parameters: dict[str, Any]
    #: What the server says the tool does; shown, never believed.
    annotations: Mapping[str, Any]

    @property
    def size(self) -> int:
        """The bytes that it takes in every request."""
        declared = {"name": self.name, "description": self.description}
        return len(dumps({**declared, "parameters": self.parameters}))

    @property
    def line(self) -> str:
        """Its description in one short line."""
        first = " ".join(self.description.split("\n", 1)[0].split())
        sentence = first.split(". ", 1)[0]
        cut = len(sentence) > LONGEST_LINE
        return sentence[: LONGEST_LINE - 1] + "…" if cut else sentence


def listed(server: str, place: int, tool: Any) -> Listed:
    """Return the tool at a place of a server's list, counted from 1.

    Raises ServerFailure for what is no tool, and for a schema that is none.
    """
    if not isinstance(tool, dict):
        raise ServerFailure(f"entry {place} of its list of tools is not an object")
    own_name = tool.get("name")
    if not isinstance(own_name, str):
        raise ServerFailure(f"entry {place} of its list of tools has no name")
    name = tool_name(server, own_name)
    title, annotations = tool.get("title"), tool.get("annotations")
    said = tool.get("description") or title or own_name
    schema = _bounded(tool.get("inputSchema"), name)
    properties = schema.get("properties")
    return Listed(
        server,
        own_name,
        name,
        clean(str(said))[:LONGEST],
        schema,
        {
            **{key: value for key, value in schema.items() if key != "$schema"},
            "type": "object",
            # Some vendors refuse an object without.
            "properties": properties if isinstance(properties, dict) else {},
        },
        annotations if isinstance(annotations, dict) else {},
    )


def _bounded(schema: Any, name: str) -> dict[str, Any]:
    """Return the schema of an object that is not too much. Raises ServerFailure."""
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise ServerFailure(f"the schema of {name} is not that of an object")
    if _depth(schema) > DEEPEST:
        raise ServerFailure(f"the schema of {name} is nested deeper than {DEEPEST} levels")
    if len(dumps(schema)) > LARGEST:
        raise ServerFailure(f"the schema of {name} is larger than {LARGEST >> 10} KiB")
    return schema


def _depth(schema: Any) -> int:
    """Return the levels of a value, at most one more than is allowed; without recursion."""
    level, nodes = 0, [schema]
    while nodes and level <= DEEPEST:
        level += 1
        below: list[Any] = []
        for node in nodes:
            inner = node.values() if isinstance(node, dict) else node
            below += [one for one in inner if isinstance(one, dict | list)]
        nodes = below
    return level


class McpTool(Tool):
    """One of them, ready to be called."""

    #: Whatever the server says of it.
    harmless = False
    network = True

    def __init__(
        self,
        told: Listed,
        call: CallServer,
        *,
        read_only: bool,
        lazy: bool,
        seconds: float | None = None,
    ) -> None:
        """`read_only`: so says the user. `lazy`: the model is told one line of it.

        `seconds`: the time of a call, where its server has one of its own.
        """
        # Class variables of a built-in tool, but each of these has its own.
        self.name = told.name  # type: ignore[misc]
        self.description = told.description  # type: ignore[misc]
        self.parameters = told.parameters  # type: ignore[misc]
        # What is not known to read only may write, and then runs alone.
        self.writes = not read_only  # type: ignore[misc]
        self.told = told
        self.lazy = lazy
        self._call = call
        self._seconds = seconds
        self._schema: Schema | None = None

    def spec(self, conditions: Conditions | None = None) -> ToolSpec:
        """Return what the model is told about this tool in every request."""
        if self.lazy:
            return ToolSpec(self.name, self.told.line, ANYTHING, writes=self.writes)
        return ToolSpec(self.name, self.description, self.parameters, writes=self.writes)

    def deadline(self, context: ToolContext) -> float:
        """Return the seconds that a call may take: its server's, or those of every tool."""
        return context.timeout if self._seconds is None else self._seconds

    def problems(self, arguments: dict[str, Any]) -> list[str]:
        """Return what in the arguments violates the schema.

        What could take too long to find out is left to the server.
        """
        try:
            self._schema = self._schema or Schema(self.told.schema)
        except SchemaError as error:
            return [f"the server's schema is invalid: {error}"]
        found = self._schema.found_at_once(arguments)
        problems = [f"{path}: {message}" if path else message for path, message in found]
        if problems and self.lazy:
            problems.append("load_tools returns its schema")
        return problems

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        """Call the server."""
        last, room = "", MOST_PROGRESS

        def progress(told: Mapping[str, Any]) -> None:
            nonlocal last, room
            line = _progress_line(told)
            if line != last and room >= len(line):
                last, room = line, room - len(line)
                context.show(line)

        try:
            result = await self._call(self.told.own_name, dict(arguments), progress)
        except (Disconnected, ServerFailure, Unreached) as error:
            raise ToolError(f"the MCP server {self.told.server} failed: {error}") from None
        except RpcError as error:
            raise ToolError(f"the server refused the call: {error} ({error.code})") from None
        return returned(result, context.most_shown)


def _progress_line(told: Mapping[str, Any]) -> str:
    """Return a line of live output for a progress notification."""
    done, total, message = told.get("progress"), told.get("total"), told.get("message")
    figures = f"{done}/{total}" if total is not None else f"{done}"
    words = [figures[:40]] if done is not None else []
    words += [clean(message)[:2000]] if isinstance(message, str) else []
    return " ".join(words) + "\n"
