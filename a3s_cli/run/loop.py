"""The agent loop: a turn of the model, its tools, the next turn, until it stops.

It knows only protocols: a provider behind `Asker`, tools and their policy behind
`Calls`. It decides when a run is over and why. Limits, refusals and empty answers
are exceptions with a code of the contract; the caller turns them into the terminal
event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ContextOverflow, InvalidResponse, MaxTurns, ProviderError, ToolLoop
from ..events import Notice, Retry, TurnEnd, TurnStart, UserMessage
from ..messages import Message, Text
from ..model import Request
from ..stream.emitter import Emitter
from ..values import State, field, replace
from .calls import Calls
from .compaction import Compactor
from .conversation import Conversation
from .response import Asker, Response, ResponseStream, stopped_short
from .voice import Steering

if TYPE_CHECKING:
    from .mcp import Offer


class Progress(State):
    """How far a run has come, for its terminal event."""

    turns: int = 0
    text: str = ""
    #: Whether any turn has produced text.
    spoke: bool = False
    #: Whether any call was executed.
    acted: bool = False
    #: The run's object, in a tuple because it may be any JSON value; empty until there is one.
    object: tuple[Any, ...] = ()


class Loop(State):
    """Works on one prompt of a conversation until it is answered."""

    asker: Asker
    calls: Calls
    emitter: Emitter
    request: Request
    conversation: Conversation
    compactor: Compactor
    max_turns: int = 50
    #: Whether the answer is an object, made after the loop.
    object_follows: bool = False
    progress: Progress = field(default_factory=Progress)
    steering: Steering = field(default_factory=Steering)
    #: What MCP servers put on offer; None where there are none.
    offer: Offer | None = None

    async def run(self) -> None:
        """Run turns until the model has answered. Raises an A3SError if it does not."""
        while True:
            response = await self._turn()
            if response.message.calls:
                await self._act(response)
                wanted = "asked for tools"
            elif response.stop != "paused":
                if self._steered(last=True):
                    continue
                self._answered()
                return
            else:
                # Sent back as it is, such an answer is continued.
                wanted = "had not finished"
            if response.stop != "paused" and self.progress.turns < self.max_turns:
                self._steered()
            if self.progress.turns >= self.max_turns:
                raise MaxTurns(
                    f"the model still {wanted} after {turns(self.max_turns)}",
                    hint="--max-turns sets the limit",
                )

    def _steered(self, *, last: bool = False) -> bool:
        """Add the messages that the user has sent meanwhile, after a `last` answer if any."""
        if last and self.progress.turns >= self.max_turns:
            return False  # There is no turn left to hear it in: it is the next prompt's.
        words = self.steering.take_or_close() if last else self.steering.take()
        if words:
            text = "\n\n".join(words)
            self.conversation.add(Message("user", (Text(text),)))
            self.emitter.emit(UserMessage(text=text, how="steer"))
        return bool(words)

    async def _turn(self) -> Response:
        turn = self.progress.turns + 1
        if self.offer is not None:
            self.request = await self.offer.before_turn(self.request)
        await self.compactor.fit()
        self.emitter.emit(TurnStart(turn=turn))
        response = await self._response(turn)
        self.progress.turns = turn
        self.progress.text = response.message.text
        self.progress.spoke = self.progress.spoke or bool(response.message.text)
        failure = stopped_short(response)
        self._remember(response, cut=failure is not None)
        self.emitter.emit(
            TurnEnd(
                turn=turn,
                total_tokens=response.usage.total_tokens if response.usage else 0,
                usage=response.usage,
                stop_reason=response.stop,
                model=response.model,
            )
        )
        if failure is not None:
            self.calls.reject(response.message.calls, str(failure))
            raise failure
        return response

    def _remember(self, response: Response, *, cut: bool) -> None:
        """Add a response to the conversation, before the event that ends its turn."""
        message = response.message
        if cut and message.calls:
            from ..sessions.interruption import unsigned

            self.conversation.add(unsigned(message))
        elif cut:
            self.conversation.partial = message.text
        elif message.calls or message.text or response.stop == "paused":
            self.conversation.add(message)

    async def _response(self, turn: int) -> Response:
        audience = ResponseStream(self.emitter, show_input=self.asker.show_input)
        try:
            return await self._asked(turn, audience)
        except BaseException:
            self.conversation.partial = audience.partial
            raise

    async def _asked(self, turn: int, audience: ResponseStream) -> Response:
        try:
            return await self._sent(turn, audience)
        except ContextOverflow as error:
            if not audience.failed() or not await self.compactor.resend(error, turn):
                raise
        except ProviderError as error:
            if not audience.failed() or not self._left_out(error, turn):
                raise
        return await self._sent(turn, audience)

    async def _sent(self, turn: int, audience: ResponseStream) -> Response:
        request = replace(self.request, messages=tuple(self.conversation.messages))
        response = await self.asker.ask(request, turn=turn, audience=audience)
        self.compactor.gauge.learn(request, response.usage)
        for message in request.messages:
            if files := message.files:
                self.conversation.accepted.update(file.sha256 for file in files)
        return response

    def _left_out(self, error: ProviderError, turn: int) -> bool:
        """Leave out the files that a provider has refused; return whether to send the rest."""
        if not any(message.files for message in self.conversation.messages):
            return False
        from .sight import leave_out

        files, asked = leave_out(error, self.conversation)
        if asked:
            error.hint = "choose a model that can see, or attach something else"
        if asked or not files:
            return False
        names = ", ".join(map(str, files))
        self.emitter.emit(
            Retry(
                attempt=2,
                max_attempts=2,
                delay_ms=0,
                code=error.code,
                reason=f"{error}; sending the conversation without {names}",
                status=error.status,
                turn=turn,
            )
        )
        return True

    async def _act(self, response: Response) -> None:
        await self.calls.run(response.message.calls, self.progress.turns)
        self.progress.acted = self.progress.acted or self.calls.executed > 0
        if self.calls.stuck:
            raise ToolLoop(
                "the model repeated a failing call three times",
                hint="the last tool_end, permission_denied or tool_rejected says why it fails",
            )

    def _answered(self) -> None:
        self.conversation.answered = True
        if self.progress.text or self.object_follows:
            return
        if not self.progress.spoke and not self.progress.acted:
            raise InvalidResponse("the model gave an empty answer")
        self.emitter.emit(Notice(code="empty_answer", text="the model's last answer has no text"))


def turns(number: int) -> str:
    """Return a number of turns in words."""
    return f"{number} turn" if number == 1 else f"{number} turns"
