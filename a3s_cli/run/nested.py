"""The run's model, for a tool's own requests beside the main loop.

They use the run's provider, retries, account and cost limit, and emit no event but
`retry`. A way of asking that the provider has refused is not tried again for the same
schema, which may be the reason; after two refusals in a row, it is not tried for any
schema.
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

#: What servers answer to a field that they do not know or accept.
REFUSALS = (400, 404, 405, 415, 422, 501)


class Nested(State):
    """Asks the questions of tools. `base` is what all requests of the run share."""

    asker: Asker
    base: Request
    #: The digests of the schemas that each mode was refused with since it last worked.
    _refused: dict[ObjectMode, set[bytes]] = field(default_factory=dict)

    def ways(self, schema: object) -> Sequence[Way]:
        """Return the ways to ask for a value of a schema, best first, without those refused."""
        digest = _digest(schema)
        return [way for way in self.asker.provider.ways if not self._is_closed(way.mode, digest)]

    async def ask(self, question: ModelQuestion, listener: Listener) -> Message:
        """Return the complete answer. Raises an A3SError if it is cut or refused."""
        shared = self.base if question.system is None else replace(self.base, tools=())
        request = replace(
            shared,
            system=shared.system if question.system is None else question.system,
            messages=question.messages,
            shape=question.shape,
        )
        # The ids of its calls are not ids of the run: they have no events and are not sent again.
        asker = replace(self.asker, call_ids=CallIds())
        audience = Heard(listener)
        response = await asker.ask(request, tool_id=question.tool_id, audience=audience)
        if failure := stopped_short(response, may_pause=False):
            raise failure
        if len(self._refused.get(question.shape.mode, ())) == 1:
            del self._refused[question.shape.mode]
        return response.message

    def refuses(self, way: Way, schema: object, error: A3SError, tool_id: str) -> bool:
        """Return whether the vendor refused this way and there is another one to try."""
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
    """Passes an answer on to the tool that asked."""

    listener: Listener

    def texts(self, texts: list[str]) -> None:
        """Pass text on."""
        self.listener.text("".join(texts))

    def reasoning(self, text: str) -> None:
        """Drop reasoning."""

    def arguments(self, call_id: str, name: str, text: str) -> None:
        """Pass arguments on."""
        self.listener.arguments(name, text)

    def failed(self) -> bool:
        """Allow another attempt: a listener can replace what it has shown."""
        self.listener.begin_again()
        return True

    def cut(self, said: str) -> None:
        """Ignore it: the result of the call that asked says what happened."""
