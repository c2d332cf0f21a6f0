"""The next model, when one is unavailable: `--fallback-model`.

Each model gets all of its retries. If it still fails for a temporary reason (an
overload, a rate limit, the network), and nothing of the response has been shown, the
next one is asked, for the rest of the run: its `retry` has `model`, and so has each
`turn_end`. Nothing here is loaded, and no provider made, unless a run names a fallback.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Any

from ..errors import A3SError
from ..events import Retry
from ..model import Chunk, Provider, Request, Way
from ..values import State, Value, field, replace
from .cost import Price
from .response import Asker, Audience, Response, ResponseStream


class Alternative(Value):
    """A model that can be asked."""

    #: "provider/model", as in the events.
    name: str
    #: The model's name at its server.
    model: str
    #: Returns the price of a request.
    price: Callable[[], Price | None]
    #: Whether the model is offered tools.
    calls_tools: bool
    #: Makes what asks it.
    asker: Callable[[], Asker]


class Chain(State):
    """The models of a run: the one that is asked now, and those that come after it.

    To its run it is the `Provider`: that of the model that is asked now.
    """

    now: Alternative
    asker: Asker
    rest: Iterator[Alternative]
    #: Everything that was made, to be closed.
    made: list[Provider]

    @classmethod
    def of(cls, alternatives: Sequence[Alternative], first: Asker) -> Chain:
        """Return a chain whose first model is asked by `first`."""
        now, *rest = alternatives
        return cls(now, first, iter(rest), [first.provider])

    def go_on(self) -> bool:
        """Turn to the next model; False if there is none."""
        following = next(self.rest, None)
        if following is None:
            return False
        self.now, self.asker = following, following.asker()
        self.made.append(self.asker.provider)
        return True

    @property
    def ways(self) -> Sequence[Way]:
        """The ways in which the model can be asked for a value, best first."""
        return self.asker.provider.ways

    def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Send the request; yield the response, a list for each network read."""
        return self.asker.provider.stream(request)

    async def close(self) -> None:
        """Close the connections to all models."""
        for provider in self.made:
            await provider.close()


class FallbackAsker(Asker):
    """An `Asker` that turns to the next model of its chain."""

    chain: Chain = field(kw_only=True)

    async def ask(
        self,
        request: Request,
        *,
        turn: int | None = None,
        tool_id: str | None = None,
        audience: Audience | None = None,
    ) -> Response:
        """Return the complete response of the first model that gives one."""
        audience = audience or ResponseStream(self.emitter, show_input=self.show_input)
        chain = self.chain
        while True:
            now = chain.now
            asker = replace(chain.asker, call_ids=self.call_ids)
            wanted: dict[str, Any] = {} if now.calls_tools else {"tools": ()}
            asked = replace(request, model=now.model, **wanted)
            try:
                response = await asker.ask(asked, turn=turn, tool_id=tool_id, audience=audience)
            except A3SError as error:
                if not (error.retryable and audience.failed() and chain.go_on()):
                    raise
                self.account.ask_another(chain.now.price)
                self._tell(error, turn, tool_id)
            else:
                first = chain.asker.provider is chain.made[0]
                return response if first else replace(response, model=now.name)

    def _tell(self, error: A3SError, turn: int | None, tool_id: str | None) -> None:
        self.emitter.emit(
            Retry(
                attempt=1,
                max_attempts=self.max_retries + 1,
                delay_ms=0,
                code=error.code,
                reason=f"{error}; asking {self.chain.now.name}",
                status=error.status,
                turn=turn,
                tool_id=tool_id,
                model=self.chain.now.name,
            )
        )
