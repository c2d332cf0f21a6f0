"""The run's model, as a tool may ask it: requests of a tool's own beside the main loop.

They use the run's provider, its retries, its account and its limit of cost, and
show nothing by themselves but a `retry`. A way of asking that the vendor has
refused is not tried again for the same schema, which may be what it disliked, and
not for any once it has refused two in a row.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import A3SError, ProviderError
from ..events import Retry
from ..jsontext import dumps
from ..messages import Message
from ..model import ObjectMode, Request, Way
from ..tool_protocol import Listener, ModelQuestion
from ..values import State, field, replace
from .response import Asker, CallIds, stopped_short

#: What servers answer to a field that they do not know or do not like.
REFUSALS = (400, 404, 405, 415, 422, 501)


class Nested(State):
    """Asks the questions of tools. `base` is what all requests of the run have in common."""

    asker: Asker
    base: Request
    #: The digests of the schemas with which a mode was refused since it last worked.
    _refused: dict[ObjectMode, set[bytes]] = field(default_factory=dict)

    def ways(self, schema: object) -> Sequence[Way]:
        """How the model can be asked for a value of a schema, the best way first."""
        digest = _digest(schema)
        return [way for way in self.asker.provider.ways if not self._is_closed(way.mode, digest)]

    async def ask(self, question: ModelQuestion, listener: Listener) -> Message:
        """Give the whole answer; raises an A3SError for one that is cut or refused."""
        shared = self.base if question.system is None else replace(self.base, tools=())
        request = replace(
            shared,
            system=shared.system if question.system is None else question.system,
            messages=question.messages,
            shape=question.shape,
        )
        # Ids of its calls are no ids of the run: they have no events, and are never sent again.
        asker = replace(self.asker, call_ids=CallIds())
        audience = Heard(listener)
        response = await asker.ask(request, tool_id=question.tool_id, audience=audience)
        if failure := stopped_short(response):
            raise failure
        if len(self._refused.get(question.shape.mode, ())) == 1:
            del self._refused[question.shape.mode]
        return response.message

    def refuses(self, way: Way, schema: object, error: A3SError, tool_id: str) -> bool:
        """Say whether the vendor refused this way and has another, which is tried next."""
        refused = isinstance(error, ProviderError) and error.status in REFUSALS
        rest = [other for other in self.ways(schema) if other.mode != way.mode]
        if not refused or not rest:
            return False
        self._refused.setdefault(way.mode, set()).add(_digest(schema))
        attempts = len(self.asker.provider.ways)
        self.asker.emitter.emit(
            Retry(
                attempt=attempts - len(rest) + 1,
                max_attempts=attempts,
                delay_ms=0,
                code=error.code,
                reason=f"{error}; asking in another way",
                status=error.status,
                tool_id=tool_id,
            )
        )
        return True

    def _is_closed(self, mode: ObjectMode, digest: bytes) -> bool:
        refused = self._refused.get(mode, set())
        return digest in refused or len(refused) > 1


def _digest(schema: object) -> bytes:
    from hashlib import sha256

    return sha256(dumps(schema)).digest()


class Heard(State):
    """Passes an answer on to whoever asked the question."""

    listener: Listener

    def texts(self, texts: list[str]) -> None:
        """Pass words on."""
        self.listener.text("".join(texts))

    def reasoning(self, text: str) -> None:
        """Keep reasoning to oneself."""

    def arguments(self, call_id: str, name: str, text: str) -> None:
        """Pass arguments on."""
        self.listener.arguments(name, text)

    def failed(self) -> bool:
        """Allow another attempt: what a listener shows of an answer can be replaced."""
        self.listener.begin_again()
        return True
