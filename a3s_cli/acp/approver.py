"""Asks the editor whether a call may run.

`session/request_permission` carries the call with the change that it would make,
and says what each answer covers. An editor that never answers holds up its own run
alone: a cancel and the end of stdin withdraw the question.
"""

from __future__ import annotations

from ..jsonrpc import Disconnected, Peer, RpcError
from ..permissions.approval import Answer, Question, Reply, Unanswered
from ..secrets.redaction import Redactor
from .updates import Updates

_ANSWERS: dict[str, Answer] = {"once": "once", "always": "always", "no": "no"}


class EditorApprover:
    """An `Approver` at the other end of a connection."""

    by = "editor"

    def __init__(self, peer: Peer, session: str, updates: Updates, redactor: Redactor) -> None:
        self._peer = peer
        self._session = session
        self._updates = updates
        self._redactor = redactor

    async def __call__(self, question: Question) -> Reply:
        """Ask the editor; cancelling withdraws the question there as well."""
        shown = self._redactor.value(question.tool_input)
        path = None if question.path is None else str(question.path)
        call = self._updates.proposal(question.tool_id, question.tool_name, path, shown)
        always = self._redactor.whole(question.always)
        asked = {
            "sessionId": self._session,
            "toolCall": {**call, "status": "pending"},
            "options": [
                {"optionId": "once", "name": "Allow once", "kind": "allow_once"},
                {
                    "optionId": "always",
                    "name": f"Always allow in this session: {always}",
                    "kind": "allow_always",
                },
                {"optionId": "no", "name": "Reject this call", "kind": "reject_once"},
            ],
        }
        try:
            said = await self._peer.request("session/request_permission", asked)
        except RpcError as error:
            raise Unanswered(f"the editor could not ask: {error.message}") from None
        except Disconnected as error:
            raise Unanswered(str(error)) from None
        return Reply(_answer(said))


def _answer(said: object) -> Answer:
    outcome = said.get("outcome") if isinstance(said, dict) else None
    if not isinstance(outcome, dict):
        raise Unanswered("the editor's answer has no outcome")
    if outcome.get("outcome") == "cancelled":
        return "no"
    answer = _ANSWERS.get(str(outcome.get("optionId")))
    if outcome.get("outcome") != "selected" or answer is None:
        raise Unanswered("the editor chose an option that was not offered")
    return answer
