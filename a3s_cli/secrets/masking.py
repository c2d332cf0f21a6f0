"""Masks what has the shape of a key, in sentences that were not meant to contain one.

Errors, logs and reports quote what they were given: a provider's body, a URL, a
command. Known secrets are hidden there by value (`redaction`); this is for the
ones that we do not know. A shape is a guess, so it is not applied to what must
be exact: the model's text, a call's arguments, objects.

Each shape keeps the beginning that tells its kind, and demands enough after it
that digests, UUIDs and encoded images stay as they are. Every pattern is linear
in the text: a shape starts at a boundary only, and no run of characters is
looked through twice.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

MASK = "***"

#: A key begins where a word does: in the middle of encoded data nothing is a key.
_START = r"(?<![A-Za-z0-9_-])"
#: What follows has a digit early on, as every real key has; the words of a name do not.
_DIGIT = r"(?=[A-Za-z_-]{0,40}[0-9])"

#: Patterns are kept as text: only a process that says something compiles them.
#: The first group stays, the rest becomes the mask.
SHAPES = (
    # OpenAI, Anthropic, OpenRouter and many that copied them
    rf"{_START}(sk-(?:ant-|proj-|or-)?){_DIGIT}[A-Za-z0-9_-]{{16,}}",
    # Stripe, Groq, xAI, Hugging Face, NVIDIA, Perplexity, Cerebras, Replicate, npm, …
    rf"{_START}((?:[spr]k_(?:live|test)|whsec|gsk|hf|npm|r8|fw|dop_v1|tgp_v1)_"
    rf"|(?:xai|nvapi|pplx|csk|tvly|pypi)-){_DIGIT}[A-Za-z0-9_-]{{16,}}",
    # GitHub, GitLab
    rf"{_START}(gh[opsur]_|github_pat_|glpat-|gldt-){_DIGIT}[A-Za-z0-9_-]{{16,}}",
    # Google, Slack
    rf"{_START}(AIza|ya29\.|GOCSPX-|xox[abeoprs]-|xapp-)[A-Za-z0-9_.-]{{16,}}",
    # AWS
    rf"{_START}(AKIA|ASIA)[A-Z0-9]{{16}}(?![A-Za-z0-9])",
    # A JSON Web Token: its header and its claims are objects, `{"` in base64
    rf"{_START}(eyJ)[A-Za-z0-9_-]{{8,}}\.eyJ[A-Za-z0-9_-]{{8,}}(?:\.[A-Za-z0-9_-]+)?",
    # A private key, to its end or to the end of what is left of it
    r"(-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----)"
    r"(?s:.*?(?=-----END )|.*)",
    # A header, whatever its value looks like
    r"(?i)((?:(?<![A-Za-z0-9])(?:proxy-)?authorization|(?<![A-Za-z0-9])x-[a-z-]{0,20}(?:key|token)"
    r"|(?<![A-Za-z0-9-])api[-_]key|set-cookie|(?<![A-Za-z0-9-])cookie)"
    r"[\"']?\s{0,4}[:=]\s{0,4}b?[\"']?(?:(?:bearer|basic|token)\s{1,4}|(?=[^\s\d\"',;]{0,40}\d)))"
    r"[^\s\"',;()\[\]{}<>*]{8,}",
    rf"(?i)((?<![A-Za-z0-9])(?:bearer|basic)\s{{1,4}}){_DIGIT}[A-Za-z0-9+/_.~=-]{{16,}}",
    # A URL's password, and the parameters in which services take their keys
    r"(://)[^\s/?#\"'<>:@]{0,256}:[^\s/?#\"'<>]{1,1024}(?=@)",
    r"(?i)([?&](?:key|api[-_]?key|(?:access|auth|id|refresh)[-_]?token|token|secret"
    r"|client[-_]secret|password|passwd|sig|signature|x-amz-signature|x-amz-credential"
    r"|x-amz-security-token)=)[^\s&#\"'<>*,;)]{4,}",
)


@cache
def _compiled() -> list[re.Pattern[str]]:
    return [re.compile(shape) for shape in SHAPES]


def mask(text: str) -> str:
    """Return the text with anything key-shaped masked; the same object if there is nothing."""
    for shape in _compiled():
        text = shape.sub(rf"\1{MASK}", text)
    return text


def mask_value(value: Any) -> Any:
    """Mask every text in a JSON value."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(key): mask_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [mask_value(one) for one in value]
    return value
