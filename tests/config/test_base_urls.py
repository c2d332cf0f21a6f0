"""Base URLs as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.config.base_urls import BaseUrl, is_loopback, normalise
from tests.support.house import place, refusal

PATHS = {
    "openai-chat": "/chat/completions",
    "openai-responses": "/responses",
    "anthropic": "/messages",
}


@pytest.mark.parametrize(
    ("text", "wire", "url"),
    [
        ("https://h.example", "openai-chat", "https://h.example/v1"),
        ("https://h.example/", "openai-chat", "https://h.example/v1"),
        ("https://h.example/v1", "openai-chat", "https://h.example/v1"),
        ("https://h.example/v1//", "openai-chat", "https://h.example/v1"),
        ("https://h.example/v1/chat/completions", "openai-chat", "https://h.example/v1"),
        ("https://h.example/v1/chat/completions/", "openai-chat", "https://h.example/v1"),
        ("https://h.example/v1/responses", "openai-responses", "https://h.example/v1"),
        ("https://h.example/v1/chat/completions", "openai-responses", "https://h.example/v1"),
        ("https://h.example/x/chat/completions", "openai-chat", "https://h.example/x"),
        ("https://h.example/openai", "openai-chat", "https://h.example/openai/v1"),
        ("https://h.example/v4", "openai-chat", "https://h.example/v4"),
        ("https://h.example/api/paas/v4/", "openai-chat", "https://h.example/api/paas/v4"),
        ("https://h.example/api/v3", "openai-chat", "https://h.example/api/v3"),
        ("https://h.example/api", "openai-chat", "https://h.example/api"),
        ("https://h.example/v1beta/openai", "openai-chat", "https://h.example/v1beta/openai"),
        ("http://LOCALHOST:8080", "openai-chat", "http://localhost:8080/v1"),
        ("HTTP://[::1]:8080/v1", "openai-chat", "http://[::1]:8080/v1"),
        # the beginning of a vendor's own URL
        ("https://api.groq.com", "openai-chat", "https://api.groq.com/openai/v1"),
        ("https://openrouter.ai/api", "openai-chat", "https://openrouter.ai/api/v1"),
        ("https://openrouter.ai/api", "openai-responses", "https://openrouter.ai/api/v1"),
        ("https://api.perplexity.ai", "openai-chat", "https://api.perplexity.ai"),
        ("https://api.z.ai", "openai-chat", "https://api.z.ai/api/paas/v4"),
        # Anthropic's clients append /v1/messages, so its gateways are written without /v1
        ("https://api.anthropic.com", "anthropic", "https://api.anthropic.com/v1"),
        ("https://api.anthropic.com/v1/messages", "anthropic", "https://api.anthropic.com/v1"),
        ("https://api.z.ai/api/anthropic", "anthropic", "https://api.z.ai/api/anthropic/v1"),
        ("https://openrouter.ai/api", "anthropic", "https://openrouter.ai/api/v1"),
        ("https://h.example/v1/acc/anthropic", "anthropic", "https://h.example/v1/acc/anthropic/v1"),
        ("https://h.example/x/messages", "anthropic", "https://h.example/x"),
        # Gemini
        ("https://h.example", "gemini", "https://h.example/v1beta"),
        ("https://h.example/v1", "gemini", "https://h.example/v1"),
        ("https://h.example/v1beta/models/g:streamGenerateContent", "gemini", "https://h.example/v1beta"),
        (
            "https://aip.example/v1beta1/projects/p/locations/l/publishers/google",
            "gemini",
            "https://aip.example/v1beta1/projects/p/locations/l/publishers/google",
        ),
        # Azure
        ("https://r.openai.azure.com/", "openai-chat", "https://r.openai.azure.com/openai/v1"),
        ("https://r.openai.azure.com/openai", "openai-responses", "https://r.openai.azure.com/openai/v1"),
        ("https://r.openai.azure.com/openai/v1/", "openai-chat", "https://r.openai.azure.com/openai/v1"),
        (
            "https://r.openai.azure.com/openai/deployments/d",
            "openai-chat",
            "https://r.openai.azure.com/openai/deployments/d",
        ),
    ],
)  # fmt: skip
def test_base_urls_have_one_form(text: str, wire: str, url: str) -> None:
    assert normalise(text, wire) == BaseUrl(url)


def test_a_query_is_kept_apart(work: Path) -> None:
    url = "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-02-01"
    found = place(work, "azure/d", AZURE_BASE_URL=url, AZURE_OPENAI_API_KEY="k")
    assert found.base_url == "https://r.openai.azure.com/openai/deployments/d"
    assert found.quirks == {
        "auth_header": "api-key",
        "max_tokens_field": "max_completion_tokens",
        "query": "api-version=2024-02-01",
    }


HOSTS = st.from_regex(r"[a-z]{1,5}\.example(:[1-9][0-9]{0,3})?", fullmatch=True)
SEGMENTS = st.lists(
    st.sampled_from(["v1", "v2", "api", "openai", "x", "paas", "v1beta"]), max_size=4
)


@given(HOSTS, SEGMENTS, st.sampled_from(sorted(PATHS)), st.sampled_from(["", "/", "//"]))
def test_all_spellings_of_a_base_url_agree(
    host: str, segments: list[str], wire: str, slashes: str
) -> None:
    text = "/".join(["https://" + host, *segments])
    url = normalise(text, wire).url
    assert not url.endswith("/")
    assert normalise(text + slashes, wire).url == url
    assert normalise(url, wire).url == url
    assert normalise(url + PATHS[wire] + slashes, wire).url == url


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "localhost:8080/v1",
            "a URL that begins with https:// or http://: http://localhost:8080/v1",
        ),
        ("127.0.0.1:8080", "a URL that begins with https:// or http://: http://127.0.0.1:8080"),
        (
            "api.example.com/v1",
            "a URL that begins with https:// or http://: https://api.example.com/v1",
        ),
        (
            "//api.example.com",
            "a URL that begins with https:// or http://: https://api.example.com",
        ),
        ("gpu-box:8000", "a URL that begins with https:// or http://: http://gpu-box:8000"),
        ("sk-abc123DEF456", "a URL that begins with https:// or http://"),
        ("eyJhbGciOi.eyJzdWIiOi.SflKxwRJ", "a URL that begins with https:// or http://"),
        ("ftp://h.example", "a URL that begins with https:// or http://"),
        ("file:///etc/passwd", "a URL that begins with https:// or http://"),
        ("https://", "a URL with a host, and a port from 1 to 65535 if any"),
        ("https:///v1", "a URL with a host, and a port from 1 to 65535 if any"),
        ("https://h.example:99999", "a URL with a host, and a port from 1 to 65535 if any"),
        ("https://h.example:0", "a URL with a host, and a port from 1 to 65535 if any"),
        (
            "https://user:pw@h.example",
            "a URL without a user and a password (use apiKey or headers)",
        ),
        ("https://h.example/v1#x", "a URL without '#'"),
        ("https://h.example/v 1", "a URL without spaces and line breaks"),
        ("https://h.example\n", "a URL without spaces and line breaks"),
    ],
)
def test_a_wrong_base_url_is_refused(work: Path, text: str, message: str) -> None:
    found = refusal(work, "openai/m", OPENAI_BASE_URL=text, OPENAI_API_KEY="k")
    assert found == f"OPENAI_BASE_URL: expected {message}"
    escaped = text.replace("\n", "\\n")
    found = refusal(work, "mine/m", f'providers "mine" {{ baseUrl = "{escaped}" apiKey = "k" }}')
    assert found == f"{work}/c.acl:1: expected {message}"


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost", True), ("http://LOCALHOST:1/v1", True), ("http://127.0.0.1", True),
        ("http://127.8.9.1:80", True), ("http://[::1]:8080/x", True), ("http://a.localhost", True),
        ("http://[0:0:0:0:0:0:0:1]", True), ("https://127.0.0.1.evil.example", False),
        ("http://127.evil.example", False), ("http://localhost.evil.example", False),
        ("http://evil.example/localhost", False), ("http://evil.example?localhost", False),
        ("http://128.0.0.1", False), ("http://[::2]", False), ("http://0.0.0.0", False),
        ("http://localhost@evil.example", False), ("", False),
    ],
)  # fmt: skip
def test_loopback(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback
