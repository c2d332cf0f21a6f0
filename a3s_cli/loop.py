"""The agent loop: a turn of the model, its tools, the next turn, until it stops.

This file knows only protocols: a provider behind `Asker`, tools and their
policy behind `Calls`. It decides when a run is over and why. Limits, refusals
and empty answers are exceptions with a code of the contract; whoever runs the
loop turns them into the terminal event.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .calls import Calls
from .emitter import Emitter
from .errors import A3SError, InvalidResponse, MaxTokens, MaxTurns, Refusal, ToolLoop
from .events import Notice, TurnEnd, TurnStart
from .messages import Message
from .providers.base import Request
from .response import Asker, Response


@dataclass(slots=True)
class Progress:
    """How far a run has come; the terminal event reports it, whatever that is."""

    turns: int = 0
    text: str = ""
    #: Whether any turn has produced text.
    spoke: bool = False
    #: Whether any call came to an end of its own.
    acted: bool = False


@dataclass(slots=True)
class Loop:
    """One conversation with one model. `messages` grows and stays valid for the next prompt."""

    asker: Asker
    calls: Calls
    emitter: Emitter
    request: Request
    max_turns: int = 50
    messages: list[Message] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)

    async def run(self) -> None:
        """Go on until the model has answered; raises an A3SError when it does not."""
        while True:
            response = await self._turn()
            if not response.message.calls:
                self._answered()
                return
            await self._act(response)
            if self.progress.turns >= self.max_turns:
                raise MaxTurns(
                    f"the model still wanted tools after {turns(self.max_turns)}",
                    hint="--max-turns sets the limit",
                )

    async def _turn(self) -> Response:
        turn = self.progress.turns + 1
        self.emitter.emit(TurnStart(turn=turn))
        request = replace(self.request, messages=tuple(self.messages))
        response = await self.asker.ask(request, turn=turn)
        self.progress.turns = turn
        self.progress.text = response.message.text
        self.progress.spoke = self.progress.spoke or bool(response.message.text)
        self.emitter.emit(
            TurnEnd(
                turn=turn,
                total_tokens=response.usage.total_tokens if response.usage else 0,
                usage=response.usage,
                stop_reason=response.stop,
            )
        )
        if failure := stopped_short(response):
            self.calls.reject(response.message.calls, str(failure))
            raise failure
        self.messages.append(response.message)
        return response

    async def _act(self, response: Response) -> None:
        try:
            results = await self.calls.run(response.message.calls, self.progress.turns)
        except BaseException:
            # A call without its result would make the conversation invalid.
            self.messages.pop()
            raise
        self.messages.append(Message("tool", tuple(results)))
        self.progress.acted = self.progress.acted or self.calls.executed > 0
        if self.calls.stuck:
            raise ToolLoop(
                "the model repeated one failing call three times",
                hint="the last tool_end, permission_denied or tool_rejected says why it fails",
            )

    def _answered(self) -> None:
        if self.progress.text:
            return
        if not self.progress.spoke and not self.progress.acted:
            raise InvalidResponse("the model gave an empty answer")
        self.emitter.emit(Notice(code="empty_answer", text="the model's last answer has no text"))


def turns(number: int) -> str:
    """Give a number of turns in words."""
    return f"{number} turn" if number == 1 else f"{number} turns"


def stopped_short(response: Response) -> A3SError | None:
    """Say whether a whole response is nevertheless no answer to act on."""
    if response.stop == "max_tokens":
        return MaxTokens(
            "the answer was cut by a token limit",
            hint="raise the model's output limit, or ask for less at a time",
        )
    if response.stop == "refusal":
        said = response.raw_stop
        return Refusal(f"the model refused to answer{f' ({said})' if said else ''}")
    if response.stop == "other" and not response.message.calls and not response.message.text:
        return InvalidResponse(f"the model stopped without an answer ({response.raw_stop})")
    return None
