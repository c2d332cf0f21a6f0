"""The events of a batch: what `a3s batch` says between the events of its runs.

They have no `seq`, because they belong to no run. `bseq` numbers every line of a
batch's stream, and the events of its runs get it as well, with `item`, `attempt` and
`worker`. Only a batch imports this module.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, dataclass_transform

from ..messages import Usage
from .event import Event, Own


@dataclass_transform(kw_only_default=True, frozen_default=True)
class BatchEvent(Event):
    """Base class of a batch's own events."""

    type: str = ""
    #: Place in the whole stream of the batch, from 0, without gaps.
    bseq: int = -1

    #: Every event of a batch by its `type`; none of them is an event of a run.
    batch_kinds: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.batch_kinds[cls.type] = Event.kinds.pop(cls.type)

    def place(self, bseq: int, ts: int) -> None:
        """Set the event's place in the stream of the batch."""
        self.__dict__["bseq"] = bseq
        self.__dict__["ts"] = ts

    def to_dict(self) -> dict[str, Any]:
        """Return the event as the object on the wire, with `bseq` in place of `seq`."""
        wire = super().to_dict()
        del wire["seq"]
        kind, ts = wire.pop("type"), wire.pop("ts")
        return {"type": kind, "bseq": self.bseq, "ts": ts, **wire}


# This one is no type of the wire.
del Event.kinds[""]


class BatchStart(BatchEvent):
    """The first line of a batch."""

    type: Literal["batch_start"] = "batch_start"
    batch_id: Annotated[Own, "identifies the batch; the same after a resume"]
    items: Annotated[int, "how many items there are"]
    done: Annotated[int, "how many of them have a result already"]
    engine: Annotated[Own, "where the items run"]
    jobs: Annotated[int, "most items at the same time"]
    version: Annotated[Own, "version of a3s"]
    policy_sha256: Annotated[Own | None, "digest of the permission rules in force"] = None
    shipped_sha256: Annotated[Own | None, "with --ship: digest of the workspace as it is sent"] = (
        None
    )


class ItemRetry(BatchEvent):
    """An item will be tried again."""

    type: Literal["item_retry"] = "item_retry"
    item: Annotated[str, "the item"]
    attempt: Annotated[int, "number of the next attempt"]
    delay_ms: Annotated[int, "milliseconds until then"]
    code: Annotated[Own, "why the last attempt failed: a code of `error`"]


class Limit(BatchEvent):
    """The gate is closed: no request is sent for a while."""

    type: Literal["limit"] = "limit"
    reason: Annotated[str, "why, in one sentence"]
    delay_ms: Annotated[int, "milliseconds until it opens"]


class ItemEnd(BatchEvent):
    """An item has its result, which is safe on disk. Once for each item."""

    type: Literal["item_end"] = "item_end"
    item: Annotated[str, "the item"]
    attempts: Annotated[int, "how many attempts were made"]
    exit_code: Annotated[int, "exit status of the item's run"]
    code: Annotated[Own | None, "the kind of failure, if it failed"] = None
    error: Annotated[str | None, "what went wrong, in one sentence"] = None
    text: Annotated[str | None, "the answer; `a3s batch results` prints a long one whole"] = None
    truncated: Annotated[bool | None, "true if the text was cut"] = None
    text_bytes: Annotated[int | None, "bytes of the whole text, if it was cut"] = None
    object: Annotated[Any, "with a schema: the validated value"] = None
    usage: Annotated[Usage | None, "of the attempt that counts"] = None
    cost_usd: Annotated[float | None, "cost of that attempt in US dollars, if known"] = None
    duration_ms: Annotated[int, "milliseconds of that attempt"]
    patch: Annotated[str | None, "with --ship: the file with what the item has changed"] = None
    unpatched: Annotated[str | None, "why there is no such file, in one sentence"] = None


class BatchEnd(BatchEvent):
    """The last line of a batch that was not interrupted."""

    type: Literal["batch_end"] = "batch_end"
    items: Annotated[int, "how many items there are"]
    succeeded: Annotated[int, "how many succeeded, in earlier runs of the batch as well"]
    failed: Annotated[int, "how many failed for good"]
    pending: Annotated[int, "how many have no result yet"]
    codes: Annotated[dict[str, int], "failed and pending items by their code"]
    total_tokens: Annotated[int, "of all attempts since batch_start"]
    cost_usd: Annotated[float | None, "cost of these in US dollars, if known"] = None
    duration_ms: Annotated[int, "milliseconds since batch_start"]
    exit_code: Annotated[int, "the process's exit status"]
