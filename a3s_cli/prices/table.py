"""Looks up one model in the table of prices, windows and abilities.

Prices go by the names of provider and model, on whatever host. Gateways and clouds
have names of their own for the same model (`anthropic/claude-x`, `us.anthropic.claude-x`,
`claude-x@20250929`), and vendors a dated name for each version; `names` returns what a
name may mean, the most exact first. A model that is not in the table is unknown: its
price is no guess, and never 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..config.vendors import ALIASES, VENDORS
from ..values import Value

TABLE = Path(__file__).with_name("table.tsv")
#: The vendors whose models no one else runs: their names mean them anywhere.
OWN_MODELS = ("anthropic", "openai", "gemini", "xai")
#: How gateways call a vendor.
_MAKERS = {
    "google": "gemini",
    "vertex_ai": "gemini",
    "x-ai": "xai",
    "mistralai": "mistral",
    "moonshotai": "moonshot",
    "z-ai": "zai",
    "zai-org": "zai",
    "deepseek-ai": "deepseek",
    "qwen": "alibaba",
}
#: What is in front of a model's name on a cloud, before its maker and a dot.
_REGIONS = frozenset(["us", "eu", "apac", "ap", "au", "ca", "jp", "sa", "us-gov", "global"])
#: What is behind it at a gateway, at the same price. `:free` is another model.
_VARIANTS = frozenset(["beta", "thinking", "extended", "nitro", "exacto", "online"])
#: What stands in place of a date.
_NEWEST = ("-latest", "@latest", "@default", "-preview")


class Tier(Value):
    """US dollars per million tokens: of input, output, and input read from or put into a cache."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


class Model(Value):
    """What the table says of a model; None is what it does not know."""

    price: Tier
    #: The price of requests with more than so many tokens of input.
    above: int | None = None
    price_above: Tier | None = None
    context_tokens: int | None = None
    max_tokens: int | None = None
    sees_images: bool | None = None
    sees_pdf: bool | None = None
    calls_tools: bool | None = None


def find(provider: str, model: str) -> Model | None:
    """Return what is known of a provider's model; None if it is not in the table."""
    # Servers on one's own machine run other people's models, and send no bill.
    known = VENDORS.get(ALIASES.get(provider, provider))
    if known is not None and known.keyless:
        return None
    try:
        data = TABLE.read_bytes()
    except OSError:
        return None
    for name in names(provider, model):
        at = data.find(b"\n" + name.encode("utf-8", "replace") + b"\t")
        if at >= 0:
            return _model(data[at + 1 : data.find(b"\n", at + 1)].decode())
    return None


def date() -> str:
    """Return the day on which the table was made, as in 2026-11-28."""
    with open(TABLE, encoding="ascii") as file:
        return file.readline().rpartition(" ")[2].strip()


def names(provider: str, model: str) -> Iterator[str]:
    """Yield the names that a model may have in the table, the most exact first."""
    vendor = ALIASES.get(provider, provider)
    model = model.lower()
    for name in _spellings(model):
        yield f"{vendor}/{name}"
    maker, _, rest = model.rpartition("/")
    maker = maker.rpartition("/")[2]
    region, _, cloud = model.partition(".")
    if region not in _REGIONS:
        cloud = model
    if cloud.partition(".")[0] in VENDORS:
        for name in _spellings(model):
            yield f"bedrock/{name}"
        maker, _, rest = cloud.partition(".")
    if maker:
        maker = _MAKERS.get(maker, ALIASES.get(maker, maker))
        for name in _spellings(rest):
            yield f"{maker}/{name}"
    elif vendor not in VENDORS or not VENDORS[vendor].families:
        for owner in OWN_MODELS:
            if model.startswith(VENDORS[owner].families):
                for name in _spellings(model):
                    yield f"{owner}/{name}"


def _spellings(model: str) -> Iterator[str]:
    """Yield a name as it is, then without a revision, without a date, with other dashes."""
    yield model
    bare = _without_revision(model)
    seen = dict.fromkeys((bare, _without_date(bare)))
    # Gateways write claude-sonnet-4.5 for the vendor's claude-sonnet-4-5.
    for name in (model, *seen):
        seen[_dashed(name)] = None
    seen.pop(model, None)
    yield from seen


def _without_revision(name: str) -> str:
    """Return a name without the revision of a cloud or the variant of a gateway."""
    head, _, tail = name.rpartition(":")
    if head and (tail in _VARIANTS or tail.removesuffix("k").isdigit()):
        name = head
    head, _, tail = name.rpartition("-v")
    return head if head and tail.isdigit() else name


def _without_date(name: str) -> str:
    """Return a name without the date or the number of its version."""
    for end in _NEWEST:
        if name.endswith(end):
            return name.removesuffix(end)
    for length in (11, 9, 5, 4):  # -2025-09-29, -20250929, -0613, -001
        head, sign, tail = name[:-length], name[-length : 1 - length], name[1 - length :]
        digits = tail.replace("-", "")
        if head and sign in ("-", "@") and digits.isdigit() and len(digits) in (8, length - 1):
            return head
    return name


def _dashed(name: str) -> str:
    """Return a name with dashes for the dots between figures."""
    parts = name.split(".")
    joined = parts[0]
    for part in parts[1:]:
        joined += ("-" if joined[-1:].isdigit() and part[:1].isdigit() else ".") + part
    return joined


def _model(line: str) -> Model:
    _, price, above, window, output, *can = line.split("\t")
    limit, _, higher = above.partition(" ")
    return Model(
        price=_tier(price),
        above=int(limit) if limit else None,
        price_above=_tier(higher) if higher else None,
        context_tokens=int(window) if window else None,
        max_tokens=int(output) if output else None,
        sees_images=_known(can[0]),
        sees_pdf=_known(can[1]),
        calls_tools=_known(can[2]),
    )


def _tier(text: str) -> Tier:
    plain, output, *cached = (float(one) if one else None for one in text.split(" "))
    return Tier(plain or 0.0, output or 0.0, *cached)


def _known(letter: str) -> bool | None:
    return {"1": True, "0": False}.get(letter)
