"""What has the shape of a key is masked in sentences; what only looks long is not."""

from __future__ import annotations

import base64
import hashlib
import random
import uuid

import pytest

from a3s_cli.secrets.masking import mask, mask_value

#: Written in two halves, so that no scanner takes this file for a leak.
BODY = "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6"
UPPER = "A1B2C3D4" + "E5F6G7H8"
JWT = ".".join(("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dozjgNryP4J3jVmNHl0w5N"))
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("prefix", "rest"),
    [
        *((prefix, BODY) for prefix in (
            "sk-", "sk-ant-", "sk-proj-", "sk-or-", "sk_live_", "rk_test_", "gsk_", "hf_", "npm_",
            "xai-", "nvapi-", "pplx-", "csk-", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-",
            "AIza", "ya29.", "xoxb-", "xoxp-",
        )),
        ("sk-ant-", "api03-" + BODY),
        ("AKIA", UPPER),
        ("ASIA", UPPER),
        ("eyJ", JWT[3:]),
        ("Bearer ", BODY),
        ("Authorization: Bearer ", "x" * 20),
        ("authorization: Basic ", "dXNlcjpwYXNzd29yZA=="),
        ("'x-api-key': '", BODY),
        ('{"api_key": "', BODY),
        ("x-goog-api-key=", BODY),
        ("https://api.example/v1?key=", BODY),
        ("https://api.example/v1?a=1&access_token=", "short1"),
        ("-----BEGIN RSA PRIVATE KEY-----", PEM[31:-29]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("frame", ["{}", "said {}, then", '"{}"', "a/({})\n"])
def test_keys_are_masked(prefix: str, rest: str, frame: str) -> None:
    end = PEM[-29:] if "BEGIN" in prefix else ""
    shown = mask(frame.format(prefix + rest + end))
    assert rest not in shown
    assert rest[4:] not in shown
    assert shown == frame.format(f"{prefix}***{end}")


def test_the_password_of_a_url_is_masked() -> None:
    assert mask("http://user:pass@proxy:8080/x") == "http://***@proxy:8080/x"
    assert mask("postgres://u:p@ss@db/x") == "postgres://***@db/x"
    assert mask("ssh://git@host/x http://host:80/@x") == "ssh://git@host/x http://host:80/@x"


def test_a_private_key_that_was_cut_is_masked_to_the_end() -> None:
    assert mask(f"x {PEM[:60]}") == "x -----BEGIN RSA PRIVATE KEY-----***"
    assert BODY[:8] not in mask(PEM.replace("\n", "\\n"))


@pytest.mark.parametrize(
    "text",
    [
        "commit " + hashlib.sha1(b"x").hexdigest(),
        "sha256:" + hashlib.sha256(b"x").hexdigest(),
        str(uuid.UUID(int=random.Random(1).getrandbits(128))),
        "data:image/png;base64," + base64.b64encode(random.Random(2).randbytes(20_000)).decode(),
        base64.urlsafe_b64encode(random.Random(3).randbytes(20_000)).decode(),
        "OPENAI_API_KEY: expected an API key of printable ASCII; leave out the word Bearer",
        "no API key for openai; export OPENAI_API_KEY=…",
        "sk-learn-contrib-and-its-friends is a package, task-runner-with-a-long-name is another",
        "the bearer of bad news and a basic misunderstanding; max_tokens: 4096, token: expected",
        "https://example.org/a/b?page=2&sort=key see http://127.0.0.1:8080/v1 or a@b.example:22",
        "git@github.com:owner/repository.git, ssh-ed25519 key, skeleton, hf_hub_download_and_more",
        "/usr/lib/python3.11/site-packages/httpx-0.28.1.dist-info/METADATA line 12",
        "sk-***",
    ],
)
def test_what_is_no_key_stays(text: str) -> None:
    assert mask(text) == text


def test_masking_twice_changes_nothing() -> None:
    text = f"sk-{BODY} Bearer {BODY} http://u:p@h ?key={BODY} {JWT} {PEM}"
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "unit",
    [
        "a", "sk-", "sk-a", "eyJ", "eyJaaaaaaaa.", "eyJaaaaaaaa.eyJ", "://", "://a:", "a:@", "x-",
        "-----BEGIN PRIVATE KEY-----", "-----BEGIN A B C ", "bearer ", "authorization: ",
        "x-a-", "api_key=", "?key=", "AKIA", "ghp_", "'\"", "1", "a1-", "cookie: \t",
    ],
)  # fmt: skip
def test_hostile_texts_take_linear_time(unit: str) -> None:
    # Quadratic time would be minutes here.
    text = unit * (200_000 // len(unit))
    assert len(mask(text)) <= len(text) + 10 * (text.count("-----BEGIN") + text.count("k") + 2)


def test_every_text_of_a_value_is_masked() -> None:
    key = f"sk-{BODY}"
    assert mask_value({key: [key, 1, None, True, {"a": key}]}) == {
        "sk-***": ["sk-***", 1, None, True, {"a": "sk-***"}]
    }
