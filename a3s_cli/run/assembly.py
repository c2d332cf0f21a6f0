"""Turns a plan's names into the objects that do the work.

Only this module knows the classes of providers, tools and rules. Runs of the command
line, streams of the library and direct tool calls are all assembled here, so that
the same rules apply to all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..config.base_urls import is_loopback
from ..config.endpoints import configured_cost, endpoint
from ..config.model_names import LOCAL, REPLAY
from ..config.places import SKILLS, user_skills
from ..errors import ConfigError
from ..events import Notice
from ..files.instructions import project_instructions
from ..files.workspace import Workspace
from ..model import Endpoint, Provider, Request, Wire
from ..prompt import SYSTEM, system_prompt
from ..registry import TOOLS, WIRES, load
from ..stream.emitter import Emitter
from ..tool_protocol import Conditions, Sandbox, Tool
from ..values import Value, replace
from .calls import Calls
from .compaction import Compactor, limit_of
from .conversation import Conversation
from .cost import Account, Listed, Price
from .execution import CallLimits, Surroundings
from .nested import Nested
from .plan import Plan
from .response import Asker
from .voice import Voice

#: Wires whose every request has to limit its answer.
_LIMITED = frozenset(("anthropic",))


class Assembly(Value):
    """The objects that do the work of one run. The caller of `assemble` closes `provider`."""

    account: Account
    provider: Provider
    asker: Asker
    around: Surroundings
    calls: Calls
    request: Request
    compactor: Compactor
    #: Whether the model may be offered tools.
    takes_tools: bool = True


def assemble(
    plan: Plan,
    emitter: Emitter,
    conversation: Conversation,
    *,
    voice: Voice | None = None,
    sandbox: Sandbox | None = None,
) -> Assembly:
    """Assemble a run. Raises ConfigError or AuthError if its model cannot be reached."""
    config = plan.config
    where = endpoint(config, plan.model, plan.environment)
    listed = Listed(where)
    account = Account(_price(plan, plan.model, listed), config.get("max_cost"), plan.gate)
    provider = _provider(plan, where, emitter, listed)
    asker = Asker(
        provider,
        where.wire,
        emitter,
        conversation.call_ids,
        account,
        max_retries=config.get("max_retries"),
        max_bytes=config.get("max_response_bytes"),
        show_input=plan.tool_input,
        redactor=plan.redactor,
        sees=lambda media_type: sight(where, media_type, listed),
    )
    if plan.fallbacks:
        asker = _with_fallbacks(plan, emitter, asker, where)
        provider = asker.provider
    # A model configured with `tool_call = false` is offered no tools.
    takes_tools = where.quirks.get("tool_call", True)
    tools = chosen(plan) if takes_tools else {}
    writable = sandbox.writable if sandbox else ""
    conditions = Conditions(config.get("tool_timeout"), writable)
    instructions = _instructions(plan, where, emitter)
    skills, readable = _skills(plan, emitter, tools) if plan.skills else ("", ())
    request = _request(plan, where, tools, conditions, instructions, skills)
    around = surroundings(plan, emitter, conversation, sandbox, Nested(asker, request), asker.sees)
    around.workspace.readable = readable
    calls = Calls(
        around,
        tools,
        on_ask=plan.on_ask,
        approver=voice.approver if voice else None,
        approvals=voice.approvals if voice else None,
    )
    answer = request.max_tokens or where.max_output_tokens
    limit = limit_of(where.context_tokens, answer)
    compactor = Compactor(
        asker, request, conversation, limit, listed=lambda: limit_of(listed.window, answer)
    )
    return Assembly(account, provider, asker, around, calls, request, compactor, takes_tools)


def _instructions(plan: Plan, where: Endpoint, emitter: Emitter) -> str:
    """Return the project's instructions, and emit notices of those that are not used."""
    if not plan.project:
        return ""
    found = project_instructions(plan.workspace)
    for path, text in found.unread:
        emitter.emit(Notice(code="instructions_unread", text=text, file=path))
    if where.wire != LOCAL:
        return found.text
    from ..local.prompt import fitting

    text = fitting(found.text)
    if text != found.text:
        emitter.emit(
            Notice(
                code="instructions_unread",
                text=f"AGENTS.md is too long for {where.model}: of its {len(found.text):,} "
                f"characters the first {len(text):,} are used",
                file=str(plan.workspace / "AGENTS.md"),
            )
        )
    return text


def chosen(plan: Plan) -> dict[str, Tool]:
    """Return the tools on offer, in the order in which the model sees them."""
    return {name: plan.own_tools.get(name) or load(TOOLS[name])() for name in plan.tools}


def surroundings(
    plan: Plan,
    emitter: Emitter,
    conversation: Conversation,
    sandbox: Sandbox | None,
    model: Nested | None = None,
    sees: Callable[[str], bool | None] = lambda _: None,
) -> Surroundings:
    """Return what all calls of a run share."""
    config = plan.config
    workspace = Workspace(plan.workspace)
    workspace.withheld = tuple(plan.confinement.unseen())
    return Surroundings(
        emitter,
        plan.policy,
        workspace,
        plan.child_environment,
        CallLimits(
            tool_timeout=config.get("tool_timeout"),
            max_parallel=config.get("max_parallel"),
            max_tool_calls=config.get("max_tool_calls"),
            attachment_bytes=config.get("max_attachment_bytes"),
        ),
        model=model,
        sandbox=sandbox,
        off_limits=(
            *((plan.record.resolve(),) if plan.record else ()),
            *plan.confinement.start_files(),
        ),
        withheld=workspace.withheld,
        redactor=plan.redactor,
        conceal=plan.conceal,
        spill=conversation.spill,
        remember=conversation.take_result,
        buffers=plan.buffers,
        sees=sees,
    )


def _price(plan: Plan, model: str, listed: Listed) -> Callable[[], Price | None]:
    cost = configured_cost(plan.config, model)
    return lambda: listed.price(cost)


def _with_fallbacks(plan: Plan, emitter: Emitter, first: Asker, where: Endpoint) -> Asker:
    """Return a provider that also asks the fallback models. Raises what `assemble` raises."""
    from .fallback import Alternative, Chain, FallbackAsker

    def alternative(name: str, where: Endpoint) -> Alternative:
        listed = Listed(where)
        price = _price(plan, name, listed)
        if plan.config.get("max_cost") is not None and price() is None:
            raise ConfigError(
                f"--max-cost needs the price of {name}, which is neither configured nor listed"
            )

        def asker() -> Asker:
            provider = _provider(plan, where, emitter, listed)
            sees = lambda media_type: sight(where, media_type, listed)  # noqa: E731
            return replace(first, provider=provider, wire_name=where.wire, sees=sees)

        return Alternative(name, where.model, price, where.quirks.get("tool_call", True), asker)

    names = {name: endpoint(plan.config, name, plan.environment) for name in plan.fallbacks}
    chain = Chain.of([alternative(*one) for one in ((plan.model, where), *names.items())], first)

    def sees(media_type: str) -> bool | None:
        return chain.asker.sees(media_type)

    return FallbackAsker(**{**vars(first), "provider": chain, "sees": sees}, chain=chain)


def _skills(
    plan: Plan, emitter: Emitter, tools: Mapping[str, Tool]
) -> tuple[str, tuple[Path, ...]]:
    """Return what the model is told about skills, and the directories it may read them in."""
    project, user = plan.config.trusted_project, user_skills(plan.environment)
    if plan.project and project is None:
        _tell_untrusted(plan, emitter)
    if not any(tool.reads_skills for tool in tools.values()):
        return "", ()
    if project is None and (user is None or not Path(user).is_dir()):
        return "", ()  # as in most runs
    from .skills import announcement, find_skills

    found = find_skills(user, project)
    text, left = announcement(found, plan.workspace.resolve())
    for path, why in found.unread:
        emitter.emit(Notice(code="skill_unread", text=why, file=path))
    if left:
        why = f"the system prompt has no room for {left} of {len(found.usable)} skills"
        emitter.emit(Notice(code="skills_cut", text=why, flag="--no-skills"))
    return text, found.directories


def _tell_untrusted(plan: Plan, emitter: Emitter) -> None:
    """Report skills of the workspace that are not used, unless a notice has said so already."""
    here = [name for name in SKILLS if (plan.workspace / name).is_dir()]
    told = (n.code == "config_untrusted" and not n.fields["keys"] for n in plan.config.notices)
    if not here or any(told):
        return
    from shlex import quote

    text = (
        f"{', '.join(here)}: no effect, because the project is not trusted; to trust it:"
        f"  a3s trust {quote(str(plan.workspace.resolve()))}"
    )
    emitter.emit(Notice(code="config_untrusted", text=text, keys=["skills"]))


def sight(where: Endpoint, media_type: str, listed: Listed) -> bool | None:
    """Return whether a model can see files of a media type; None if that is unknown."""
    from .sight import sees

    return sees(where, media_type, listed)


def _provider(plan: Plan, where: Endpoint, emitter: Emitter, listed: Listed) -> Provider:
    if where.wire == REPLAY:
        from ..providers.replay import ReplayProvider

        return ReplayProvider(where.model)
    from ..providers.http import HttpProvider
    from ..transport.patience import Patience
    from ..transport.post import Transport

    first_byte = plan.config.settings["first_byte_timeout"]
    # A server on this machine may load a model first; it is not waited for in vain.
    patient = is_loopback(where.base_url) and first_byte.origin == "default"
    patience = Patience(
        None if patient else first_byte.value,
        plan.config.get("idle_timeout"),
    )
    if where.wire == LOCAL:
        from ..local.provider import LocalProvider

        return LocalProvider(where, Transport(), patience, plan, emitter)
    transport = Transport()
    transport.expect(where.base_url)
    wire: Wire = load(WIRES[where.wire])
    limited = plan.config.get("max_tokens") is not None or where.max_output_tokens is not None
    if where.wire in _LIMITED and not limited and (model := listed.model) is not None:
        window = where.context_tokens or model.context_tokens
        where = replace(where, listed_output_tokens=model.max_tokens, context_tokens=window)
    return HttpProvider(wire, where, transport, patience, plan.gate)


def _request(
    plan: Plan,
    where: Endpoint,
    tools: Mapping[str, Tool],
    conditions: Conditions,
    instructions: str,
    skills: str,
) -> Request:
    config = plan.config
    append = config.get("append_system")
    # Small models that know of the object in advance make it up at once.
    if plan.schema is not None and (tools or plan.mcp) and where.wire != LOCAL:
        from ..objects.asking import announcement

        append = "\n\n".join(filter(None, (append, announcement(plan.schema))))
    return Request(
        model=where.model,
        system=system_prompt(
            plan.workspace,
            base=config.get("system") or SYSTEM,
            append=append,
            skills=skills,
            instructions=instructions,
        ),
        messages=(),
        tools=tuple(tool.spec(conditions) for tool in tools.values()),
        max_tokens=config.get("max_tokens"),
        temperature=config.get("temperature"),
        reasoning=config.get("reasoning"),
    )
