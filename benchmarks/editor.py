"""As an editor's agent: from the spawn to the first reply, from the end of stdin to the exit."""

from __future__ import annotations

from collections.abc import Sequence

from .agents import Agent
from .figures import Report, interleaved
from .place import Place

PART = "Editor"
WANTED = {"first reply": "≤ 0.15 s"}
#: Sends a message, shows the reply, closes the agent's stdin and waits for it.
_ASK = """
coproc agent { exec "$@" 2>/dev/null; }
pid=$agent_PID
printf '%s\\n' '{"jsonrpc":"2.0","id":0,"method":"initialize","params":\
{"protocolVersion":1,"clientCapabilities":{}}}' >&"${agent[1]}"
IFS= read -r line <&"${agent[0]}"
printf '%s\\n' "$line"
eval "exec ${agent[1]}>&-"
wait "$pid" || true
"""


def measure(report: Report, place: Place, agents: Sequence[Agent], rounds: int) -> None:
    """Ask each agent that speaks the Agent Client Protocol for its capabilities."""
    jobs = {
        agent.name: agent.run(
            place, *agent.acp, kind="acp", through=("/bin/bash", "-c", _ASK, "bash")
        )
        for agent in agents
        if agent.acp
    }
    seen, failures = interleaved(jobs, rounds)
    report.failures |= {(PART, job): why for job, why in failures.items()}
    report.wanted |= {(PART, name): words for name, words in WANTED.items()}
    for name, ones in seen.items():
        replies = [one.line or one.whole for one in ones]
        report.add(PART, name, "first reply", "s", replies)
        ends = [max(one.whole - reply, 0.0) for one, reply in zip(ones, replies, strict=True)]
        report.add(PART, name, "gone after stdin", "s", ends)
        report.add(PART, name, "peak memory", "MB", [one.peak for one in ones])
