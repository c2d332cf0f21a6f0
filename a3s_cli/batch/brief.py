"""What all items of a batch share, and how one of them becomes the request of a run.

The same code checks an item before the batch begins and makes its run on a worker, so
that what was accepted is what is executed. What a data set may choose is bounded by the
batch: directories below the batch's own, files that `read` may show, models from a list,
limits that are tighter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from ..config.installation import extras
from ..errors import A3SError, ConfigError, Unavailable, UsageError
from ..files.workspace import Workspace
from ..run.plan import Plan, load_config, make_plan
from ..run.request import RunRequest
from ..values import Value, field, replace
from ..version import __version__
from .item import BadItem, Item

if TYPE_CHECKING:
    from ..shipping.depot import Depot

#: The fields of a run request that belong to one process or one item; the others travel.
STAYING = frozenset((
    "prompt", "workspace", "own_tools", "record", "answers", "buffers", "prompt_id", "secrets",
    "apart", "gate", "conceals",
))  # fmt: skip
#: Bytes of a file with a schema.
LARGEST_SCHEMA = 1 << 20
#: Plans that are remembered, one for each way in which items differ besides their prompts; and
#: schemas, which a copy of the workspace has anew.
REMEMBERED = 64

Key = TypeVar("Key")
Found = TypeVar("Found")


class Brief(Value):
    """The batch, as every worker knows it."""

    request: RunRequest
    #: The directory of the batch, where sessions and recordings go.
    directory: Path
    #: Models that items may name besides the batch's own.
    item_models: tuple[str, ...] = ()
    #: Whether the runs' own events are wanted.
    events: bool = True
    record: bool = False
    keep_sessions: bool = True
    #: The digest of the workspace, if it is sent to the workers; and where it then is there.
    shipped: str = ""
    depot: Depot | None = None
    #: What is in it, where items are checked.
    sent: frozenset[str] = field(default=frozenset(), repr=False)
    _plans: dict[tuple[Any, ...], tuple[RunRequest, Plan]] = field(default_factory=dict)
    _schemas: dict[tuple[Path, str], Any] = field(default_factory=dict)

    def pack(self) -> bytes:
        """Return this as bytes for a worker; `unpack` reads them."""
        shared = {name: one for name, one in vars(self.request).items() if name not in STAYING}
        # A node's own configuration may name another one.
        shared["settings"] = {**self.request.settings, "model": self.plan().model}
        return orjson.dumps(
            {
                "request": {**shared, "workspace": str(self.request.workspace)},
                "directory": str(self.directory),
                "item_models": self.item_models,
                "events": self.events,
                "record": self.record,
                "keep_sessions": self.keep_sessions,
                "shipped": self.shipped,
            },
            default=_plain,
        )

    @classmethod
    def unpack(cls, data: bytes) -> Brief:
        """Return what `pack` packed. The process is a worker's own."""
        value = orjson.loads(data)
        shared = value.pop("request")
        shared["workspace"] = Path(shared["workspace"])
        directory = value["directory"] = Path(value["directory"])
        # The workers share one server of the embedded model for as long as they live.
        shared["keeps_model"] = True
        request = RunRequest(**shared, apart=directory, conceals=True)
        value["item_models"] = tuple(value["item_models"])
        return cls(request=request, **value)

    def at(self, depot: Depot) -> Brief:
        """Return this on a machine where the workspace was unpacked.

        Such a machine need not see the directory of the batch: then it keeps no sessions.
        Raises ConfigError if it is to record runs there.
        """
        if self.record and not self.directory.is_dir():
            raise ConfigError(
                f"--record: {self.directory} is not there",
                hint="keep the directory of the batch on a disk that every node sees",
            )
        request = replace(self.request, workspace=depot.tree)
        keep = self.keep_sessions and self.directory.is_dir()
        return replace(self, request=request, depot=depot, keep_sessions=keep)

    def plan(self) -> Plan:
        """Return the plan of an item that differs only in its prompt."""
        return self._planned(self.request)[1]

    def check(self, item: Item) -> None:
        """Raise BadItem for what the batch does not let an item have."""
        plain = item.cwd is None and item.model is None and not item.attachments
        if plain and not isinstance(item.schema, str):
            if item.schema is not None:
                _checked_schema(item.schema)
            return
        try:
            request, _ = self.prepared(item)
        except A3SError as error:
            raise BadItem(str(error)) from None
        if self.shipped:
            self._require_sent(item, request.workspace)

    def _require_sent(self, item: Item, cwd: Path) -> None:
        """Raise BadItem for a path that is here, but not in a copy of the workspace."""
        root = self.request.workspace
        named = [("cwd", root, item.cwd), ("schema", cwd, item.schema)]
        named += [("attachments", cwd, one.get("path")) for one in item.attachments]
        for name, start, path in named:
            if not isinstance(path, str):
                continue
            found = Workspace(start).resolve(path).path
            if Path(path).is_absolute():
                raise BadItem(f'"{name}" {path!r}: with --ship, a path begins at the workspace')
            if found != root and str(found.relative_to(root)) not in self.sent:
                raise BadItem(
                    f'"{name}" {path!r} is not shipped: git ignores it, or it is one of secrets'
                )

    def prepared(self, item: Item, copy: Path | None = None) -> tuple[RunRequest, Plan]:
        """Return the request and the plan of an item's run; `copy` is a workspace of its own.

        Raises BadItem for what it may not have, ConfigError for a broken configuration.
        """
        request = self.request
        settings = dict(request.settings)
        if item.model is not None:
            settings["model"] = self._model(item.model)
        if item.temperature is not None:
            settings["temperature"] = item.temperature
        if item.system is not None:
            settings["system"] = item.system
        workspace = self._workspace(item, copy or request.workspace)
        tightened = self._tightened(item, settings, workspace)
        if workspace != request.workspace or tightened != request.settings:
            request = replace(request, workspace=workspace, settings=tightened)
        request, plan = self._planned(request)
        schema = request.schema
        if isinstance(item.schema, str):
            schema = self._read_schema(plan, item.schema)
        elif item.schema is not None:
            schema = _checked_schema(item.schema)
        confinement = plan.confinement.again()
        plan = replace(plan, prompt=item.prompt, schema=schema, confinement=confinement)
        return request, self._attached(plan, item) if item.attachments else plan

    @staticmethod
    def _attached(plan: Plan, item: Item) -> Plan:
        from ..input.attachments import given_in_json
        from ..run.attaching import attach

        return attach(plan, given_in_json(list(item.attachments)))

    def _planned(self, request: RunRequest) -> tuple[RunRequest, Plan]:
        key = (
            request.workspace,
            *sorted((name, repr(one)) for name, one in request.settings.items()),
        )
        return _remembered(
            self._plans, key, lambda: (request, make_plan(request, load_config(request)))
        )

    def _tightened(
        self, item: Item, settings: dict[str, Any], workspace: Path
    ) -> Mapping[str, Any]:
        """Return the settings with the item's limits, where they are tighter."""
        asked = {
            "timeout": item.timeout,
            "max_turns": item.max_turns,
            "max_tokens": item.max_tokens,
        }
        if all(value is None for value in asked.values()):
            return settings
        _, plan = self._planned(replace(self.request, workspace=workspace, settings=settings))
        for name, value in asked.items():
            allowed = plan.config.get(name)
            if value is not None and (allowed is None or value < allowed):
                settings[name] = value
        return settings

    def _model(self, name: str) -> str:
        own = self.request.settings.get("model")
        for allowed in (*self.item_models, *((own,) if own else ())):
            if name in (allowed, allowed.partition("/")[2]):
                return str(allowed)
        listed = f"--item-models lists {', '.join(self.item_models)}" if self.item_models else ""
        raise BadItem(f'"model" {name!r} is not allowed; ' + (listed or "name it in --item-models"))

    @staticmethod
    def _workspace(item: Item, root: Path) -> Path:
        if item.cwd is None:
            return root
        found = Workspace(root).resolve(item.cwd)
        if not found.inside:
            raise BadItem(f'"cwd" {item.cwd!r} is outside {root}')
        if not found.path.is_dir():
            raise BadItem(f'"cwd" {item.cwd!r} is not a directory')
        return found.path

    def _read_schema(self, plan: Plan, path: str) -> Any:
        key = (plan.workspace, path)
        return _remembered(self._schemas, key, lambda: _schema_of(plan, path))


def _schema_of(plan: Plan, path: str) -> Any:
    """Return the schema in a file of the workspace. Raises BadItem."""
    from ..objects.schema import parse_schema

    text = read_file(plan, "schema", path, LARGEST_SCHEMA).decode(errors="replace")
    try:
        return parse_schema(text, path)
    except UsageError as error:
        raise BadItem(str(error)) from None


def _remembered(known: dict[Key, Found], key: Key, find: Callable[[], Found]) -> Found:
    """Return what was found before, or find it; the oldest is forgotten."""
    if key not in known:
        found = find()
        if len(known) >= REMEMBERED:
            known.pop(next(iter(known)))
        known[key] = found
    return known[key]


def facts(brief: Brief) -> dict[str, Any]:
    """Return what a worker says of itself before it has items: `require_alike` compares it.

    Raises ConfigError for a configuration that is broken there.
    """
    if not brief.request.workspace.is_dir():
        raise ConfigError(f"there is no directory {brief.request.workspace}")
    if brief.record and not brief.directory.is_dir():
        raise ConfigError(f"--record: there is no directory {brief.directory}")
    plan = brief.plan()
    # A command of one worker must not find the keys in the memory of another.
    plan.conceal()
    return {"version": __version__, "extras": extras(), "policy": plan.policy.digest()}


def require_alike(worker: str, told: Mapping[str, Any], policy: str) -> None:
    """Raise ConfigError for a worker that would not run items as this process would."""
    if "code" in told:
        kind = ConfigError if told["code"] == ConfigError.code else Unavailable
        raise kind(f"worker {worker} cannot start: {told['error']}")
    if told["version"] != __version__:
        raise ConfigError(
            f"worker {worker} has a3s {told['version']}, this process {__version__}",
            hint="install the same version everywhere",
        )
    if lacking := [one for one in extras() if one not in told["extras"]]:
        raise ConfigError(
            f"worker {worker} lacks the extra {lacking[0]}, which this process has",
            hint="install the same extras everywhere",
        )
    if told["policy"] != policy:
        raise ConfigError(
            f"worker {worker} has other permission rules than this process "
            f"({told['policy']}, not {policy})",
            hint="its own configuration differs: compare what a3s config prints on both machines",
        )


def read_file(plan: Plan, field: str, path: str, most: int) -> bytes:
    """Return a file that an item names: in its workspace, and as the tool `read` may show it."""
    from ..permissions.calls import decide
    from ..run.plan import tool_class

    workspace = Workspace(plan.workspace)
    tool = tool_class("read")()
    verdict = decide(
        plan.policy, tool, {"file_path": path}, workspace, (), plan.confinement.unseen()
    )
    found = workspace.resolve(path)
    if not found.inside:
        raise BadItem(f'"{field}" {path!r} is outside {plan.workspace}')
    if verdict.decision.decision != "allow":
        raise BadItem(f'"{field}" {path!r}: {verdict.decision.reason}')
    try:
        with workspace.open_file(found.path) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise BadItem(f'"{field}" {path!r}: {error.strerror or error}') from None
    if len(data) > most:
        raise BadItem(f'"{field}" {path!r} has more than {most} bytes')
    return data


def _checked_schema(schema: Any) -> Any:
    from ..objects.schema import Schema

    try:
        Schema(schema)
    except (UsageError, ValueError) as error:
        raise BadItem(f'"schema": {error}') from None
    return schema


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    raise TypeError(f"{type(value).__name__} does not travel")
