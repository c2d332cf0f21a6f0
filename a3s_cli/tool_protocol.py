"""What a tool is: a name, a schema, the thing it acts on, and a coroutine.

A tool gets arguments that its schema has already accepted and a call that the
policy has already allowed. It returns a `ToolReturn`, or raises `ToolError`
with a sentence for the model; any other exception is a bug that the loop
reports to the model without ending the run. Cancelling is cancelling the task:
clean up in `finally` and let `CancelledError` through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from .errors import A3SError
from .files.workspace import Workspace
from .messages import Message, ToolSpec
from .model import Shape, Way
from .secrets.redaction import NOTHING, Redactor
from .values import Value, field

if TYPE_CHECKING:
    from .processes.spawner import Finished


class ToolError(Exception):
    """The call failed in a way that the model should hear of; exit status 1."""


class ToolReturn(Value):
    """What a call returned.

    `output` is uncut, and the loop cuts it for the event and for the model; `None`
    means "what was streamed", of which the loop has kept head, tail and size.
    `exit_code` is bash's real one, 0 or 1 for every other tool; `reason` says
    that we ended the call; `path` and `sha256` describe the file that a `write`
    or an `edit` left behind. Where `told` is given, the event carries the output
    whole, whatever its size, and the model is told this instead.
    """

    output: str | None
    exit_code: int = 0
    reason: Literal["timeout", "cancelled"] | None = None
    path: str | None = None
    sha256: str | None = None
    told: str | None = None


class Subject(Value):
    """What a call acts on: the thing that permission rules are matched against.

    Exactly one kind: a shell script, a file path as the model wrote it, a URL,
    or nothing that a pattern could name.
    """

    kind: Literal["command", "path", "url", "none"] = "none"
    value: str = ""


class Sandbox(Protocol):
    """Confines the commands of a run."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        timeout: float | None,
        receive: Callable[[bytes], Awaitable[None]],
    ) -> Finished:
        """Run a command as `process.run` does, and let it change nothing but the workspace."""
        ...


class ModelQuestion(Value):
    """A request of a tool's own: for one JSON value of a shape."""

    messages: Sequence[Message]
    shape: Shape
    #: None where the question goes on with the run's own conversation.
    system: str | None = None
    #: The call that asks.
    tool_id: str = ""


class Listener(Protocol):
    """Hears an answer to a question while it arrives."""

    def text(self, text: str) -> None:
        """Take the next piece of the words."""

    def arguments(self, name: str, text: str) -> None:
        """Take the next piece of the arguments of the call of `name`."""

    def begin_again(self) -> None:
        """Forget what was heard: that attempt has failed, and the answer comes anew."""


class Model(Protocol):
    """The run's model, for requests of a tool's own."""

    def ways(self, schema: object) -> Sequence[Way]:
        """How it can be asked for a value of a schema, best first, without what it refused."""

    async def ask(self, question: ModelQuestion, listener: Listener) -> Message:
        """Return the whole answer, after retries; raises an A3SError for anything else."""

    def refuses(self, way: Way, schema: object, error: A3SError, tool_id: str) -> bool:
        """Say whether an error means that this way is not open, and another may be."""


class ToolContext(Value):
    """What a call may use.

    `output` shows a piece of live output at once; `drain` waits for slow
    readers, and a tool that produces in bulk awaits it after each piece.
    """

    workspace: Workspace
    output: Callable[[str], None]
    drain: Callable[[], Awaitable[None]]
    #: Seconds that the call may take unless its own arguments say otherwise.
    timeout: float = 120.0
    #: The environment for child processes.
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Shows a delta that is no part of the output: a state, which the next one replaces.
    show: Callable[[str], None] = lambda _: None
    #: Hides the secrets that we hold; what a tool shows through `output` is hidden already.
    redactor: Redactor = NOTHING
    #: Runs a command confined; None where nothing confines it.
    sandbox: Sandbox | None = None
    #: The id of this call.
    tool_id: str = ""
    #: Asks the run's model on the tool's own behalf; None where there is no model.
    model: Model | None = None
    #: Says why the rules do not allow a URL to which the call was redirected; None if they do.
    allow_url: Callable[[str], str | None] = lambda _: None


class Tool:
    """One tool. Subclasses set the class variables and write `run`."""

    name: ClassVar[str]
    description: ClassVar[str]
    #: JSON Schema of the arguments, short: it is part of every request.
    parameters: ClassVar[dict[str, Any]]
    # What the tool does to the world. Everything that treats tools differently reads it here.
    #: Allowed inside the workspace by default, because the call changes nothing.
    harmless: ClassVar[bool] = False
    #: Changes files: runs alone in its turn, keeps off protected paths, withheld if read-only.
    writes: ClassVar[bool] = False
    #: Reaches the network: withheld without one.
    network: ClassVar[bool] = False
    #: Runs programs, of which only a sandbox can say what they may change or reach.
    runs_programs: ClassVar[bool] = False
    #: Asks the run's model on its own behalf.
    asks_model: ClassVar[bool] = False

    def subject(self, arguments: dict[str, Any]) -> Subject:
        """Say what this call acts on; pure."""
        return Subject()

    def problems(self, arguments: dict[str, Any]) -> list[str]:
        """Say what in the arguments does not fit the schema; empty when they do."""
        from .validation import problems

        return problems(self.parameters, arguments)

    def deadline(self, context: ToolContext) -> float | None:
        """Return the seconds after which a call is ended; None if the tool limits itself."""
        return context.timeout

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        """Do it."""
        raise NotImplementedError

    def ended(
        self, sentence: str, exit_code: int, reason: Literal["timeout", "cancelled"] | None = None
    ) -> ToolReturn:
        """Return the result of a call that was cut short.

        It failed, or we have ended it: what was streamed is then the output of a
        cancelled one.
        """
        return ToolReturn(None if reason == "cancelled" else sentence, exit_code, reason)

    def spec(self) -> ToolSpec:
        """Say what the model is told of this tool."""
        return ToolSpec(
            self.name, self.description, self.parameters, harmless=self.harmless, writes=self.writes
        )


def resolve(context: ToolContext, path: str) -> Path:
    """Return the resolved path of a file argument; raises ToolError where there is none."""
    found = context.workspace.resolve(path)
    if not found.inside:
        raise ToolError(f"{path} is outside the workspace {context.workspace.root}")
    return found.path
