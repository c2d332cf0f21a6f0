"""The protocol of tools: a name, a schema, the subject of a call, and a coroutine.

A tool receives arguments that its schema has accepted, for a call that the policy
has allowed. It returns a `ToolReturn`, or raises `ToolError` with a sentence for
the model; any other exception is a bug, which the loop reports to the model
without ending the run. A call is cancelled by cancelling its task: clean up in
`finally` and let `CancelledError` through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from .errors import A3SError
from .files.workspace import Workspace
from .messages import File, Message, ToolSpec
from .secrets.redaction import NOTHING, Redactor
from .values import Value, field

if TYPE_CHECKING:
    from .model import Shape, Way
    from .processes.spawner import Finished


class ToolError(Exception):
    """The call failed; the sentence is for the model. Its exit code is 1."""


class ToolReturn(Value):
    """What a call returns.

    `output` is whole; the loop cuts it for the event and for the model. `None`
    means "what was streamed", of which the loop keeps head, tail and size.
    `exit_code` is the command's own for bash, 0 or 1 for every other tool.
    `reason` is set if we ended the call. `path` and `sha256` describe the file that
    `write` or `edit` left behind. If `told` is set, the event carries the whole
    output, whatever its size, and the model is told this instead.
    """

    output: str | None
    exit_code: int = 0
    reason: Literal["timeout", "cancelled", "protected"] | None = None
    path: str | None = None
    sha256: str | None = None
    told: str | None = None
    #: The files that a command has changed, where that is known.
    changed: Sequence[str] | None = None
    #: What the model is told behind the output; the event does not have it.
    remark: str = ""
    #: Images and PDFs that the model is shown; a model that cannot see gets a note instead.
    files: tuple[File, ...] = ()
    #: The result as JSON, where a server gave one; the event has it beside the output.
    structured: Any = None


class Subject(Value):
    """What a call acts on, which permission rules are matched against.

    Exactly one kind: a shell script, a file path as the model wrote it, a URL,
    or nothing that a pattern could name.
    """

    kind: Literal["command", "path", "url", "none"] = "none"
    value: str = ""


class Sandbox(Protocol):
    """Confines the commands of a run."""

    @property
    def writable(self) -> str:
        """Where commands may write, in words for the model."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        timeout: float | None,
        receive: Callable[[bytes], Awaitable[None]],
        report: Callable[[Any], None] = ...,
    ) -> Finished:
        """Run a command as `processes.spawner` does, confined to changing the workspace."""
        ...

    def reading(self, script: str) -> Sandbox:
        """Return a sandbox for this script that lets nothing be changed, sent or given away."""
        ...


class ModelQuestion(Value):
    """A tool's own request to the model, for one JSON value."""

    messages: Sequence[Message]
    shape: Shape
    #: The system prompt; None if the question continues the run's own conversation.
    system: str | None = None
    #: The call that asks.
    tool_id: str = ""


class Listener(Protocol):
    """Receives the answer to a question while it arrives."""

    def text(self, text: str) -> None:
        """Take the next piece of the text."""

    def arguments(self, name: str, text: str) -> None:
        """Take the next piece of the arguments of a call to `name`."""

    def begin_again(self) -> None:
        """Discard what was received: that attempt failed, and the answer starts over."""


class Model(Protocol):
    """The run's model, for a tool's own requests."""

    def ways(self, schema: object) -> Sequence[Way]:
        """Return the ways to ask for a value of a schema, best first, without those refused."""

    async def ask(self, question: ModelQuestion, listener: Listener) -> Message:
        """Return the complete answer, after retries. Raises an A3SError if there is none."""

    def refuses(self, way: Way, schema: object, error: A3SError, tool_id: str) -> bool:
        """Return whether an error means that this way is unsupported, and another may work."""


class Conditions(Value):
    """Under which a run's tools work, as far as the model should know."""

    #: Seconds after which a call is ended.
    timeout: float
    #: Where confined commands may write, in words; empty where nothing confines them.
    writable: str = ""


class Buffers(Protocol):
    """Files as a front end has them, with changes that are not on the disk yet."""

    async def read(self, workspace: Workspace, path: Path) -> bytes | None:
        """Return a file's content; None if the disk's is the one that counts.

        Raises ToolError and OSError.
        """

    async def write(self, workspace: Workspace, path: Path, content: bytes) -> bool:
        """Write a file and return True; False if it is to be written to the disk.

        Raises ToolError and OSError.
        """


class ToolContext(Value):
    """What a call may use.

    `output` emits a piece of live output at once; `drain` waits for slow readers,
    and a tool with much output awaits it after each piece.
    """

    workspace: Workspace
    output: Callable[[str], None]
    drain: Callable[[], Awaitable[None]]
    #: Seconds that the call may take, unless its own arguments say otherwise.
    timeout: float = 120.0
    #: The environment for child processes.
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Emits a delta that is not part of the output: a state, which the next one replaces.
    show: Callable[[str], None] = lambda _: None
    #: Hides the secrets that we hold. `output` and `show` are redacted already.
    redactor: Redactor = NOTHING
    #: Runs a command confined; None if commands are not confined.
    sandbox: Sandbox | None = None
    #: Resolves a path argument and judges it once more, as of now; raises ToolError. What it
    #: returns has no link left in it and is opened without following one.
    judged: Callable[[str], Path] | None = None
    #: Takes what the guard of protected places did because of this call.
    report: Callable[[Any], None] = lambda _: None
    #: The id of this call.
    tool_id: str = ""
    #: The id of the run; empty outside one.
    run_id: str = ""
    #: The run's model, for the tool's own requests; None if there is none.
    model: Model | None = None
    #: Returns why the rules do not allow a URL that a redirect leads to; None if they do.
    allow_url: Callable[[str], str | None] = lambda _: None
    #: Files as an editor has them; None if there is none.
    buffers: Buffers | None = None
    #: Returns whether the model can see files of a media type; None if that is unknown.
    sees: Callable[[str], bool | None] = lambda _: None
    #: The most bytes of a file that the model is shown.
    most_shown: int = 20_000_000


class Tool:
    """A tool. Subclasses set the class variables and implement `run`."""

    name: ClassVar[str]
    description: ClassVar[str]
    #: JSON Schema of the arguments. Keep it short: every request carries it.
    parameters: ClassVar[dict[str, Any]]
    # What the tool does to the world, for everything that treats tools differently.
    #: Allowed inside the workspace by default, because the call changes nothing.
    harmless: ClassVar[bool] = False
    #: Changes files: runs alone in its turn, not on protected paths; withheld if read-only.
    writes: ClassVar[bool] = False
    #: Uses the network: withheld if the network is off.
    network: ClassVar[bool] = False
    #: Runs programs; only a sandbox limits what they change or reach.
    runs_programs: ClassVar[bool] = False
    #: What it does is not known: withheld if read-only, or if the network is off.
    opaque: ClassVar[bool] = False
    #: May also show files in the directories of skills, outside the workspace.
    reads_skills: ClassVar[bool] = False
    #: Asks the run's model on its own behalf.
    asks_model: ClassVar[bool] = False

    def subject(self, arguments: dict[str, Any]) -> Subject:
        """Return what this call acts on. Pure."""
        return Subject()

    def problems(self, arguments: dict[str, Any]) -> list[str]:
        """Return what in the arguments violates the schema; empty if nothing does."""
        from .validation import problems

        return problems(self.parameters, arguments)

    def deadline(self, context: ToolContext) -> float | None:
        """Return the seconds that a call may take; None if the tool limits itself."""
        return context.timeout

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        """Execute the call. Raises ToolError for a failure that the model is told about."""
        raise NotImplementedError

    def ended(
        self, sentence: str, exit_code: int, reason: Literal["timeout", "cancelled"] | None = None
    ) -> ToolReturn:
        """Return the result of a call that failed or that we ended.

        The output of a cancelled call is what it has streamed.
        """
        return ToolReturn(None if reason == "cancelled" else sentence, exit_code, reason)

    def spec(self, conditions: Conditions | None = None) -> ToolSpec:
        """Return what the model is told about this tool, under the conditions of a run."""
        return ToolSpec(
            self.name, self.description, self.parameters, harmless=self.harmless, writes=self.writes
        )


def resolve(context: ToolContext, path: str) -> Path:
    """Return the resolved path of a file argument. Raises ToolError outside the workspace.

    A path is judged before the call begins, and could have been exchanged for a link
    since. So it is judged again here: call this once, use what it returns through
    `context.workspace`, and never resolve the argument another time.
    """
    if context.judged is not None:
        return context.judged(path)
    found = context.workspace.resolve(path)
    if not found.inside:
        raise ToolError(f"{path} is outside the workspace {context.workspace.root}")
    return found.path
