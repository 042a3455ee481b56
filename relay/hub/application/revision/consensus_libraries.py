"""The libraries that reach the verdicts of consensus: which ones a rules version names, and whether this process has them.

Two nodes with other versions of one of them may judge or execute one block differently, so they are part of the rules. A
change of a version here is a change of the rules: a new rules version with a table of its own (docs/contributing.md).
"""

from collections.abc import Callable, Collection, Mapping
from importlib import metadata
from typing import Final

from hutong.relay.hub.application.revision import rules_versions

ALGORITHMS: Final[Mapping[str, str]] = {
    "ed25519": "py-ed25519-zebra-bindings",
    "secp256k1": "coincurve",
    "keccak256": "safe-pysha3",
    "sha256": "hashlib",
    "ripemd160": "pycryptodome",
    "bls12_381": "pyblst",
    "evm": "py-evm",
}
"""Of rules versions 1 and 2, which name one library an algorithm, without its version."""

PINNED: Final[Mapping[str, str]] = {
    "cached-property": "2.0.1",
    "ckzg": "2.1.8",
    "coincurve": "21.0.0",
    "cramjam": "2.14.0",
    "cytoolz": "1.2.0",
    "eth-abi": "6.0.0",
    "eth-bloom": "4.0.0",
    "eth-hash": "0.8.0",
    "eth-keys": "0.8.0",
    "eth-typing": "6.0.0",
    "eth-utils": "6.0.0",
    "hexbytes": "2.0.0",
    "lru-dict": "1.4.1",
    "parsimonious": "0.10.0",
    "protobuf": "7.36.2",
    "py-ecc": "8.0.0",
    "py-ed25519-zebra-bindings": "1.3.0",
    "py-evm": "0.12.1b1",
    "pyblst": "0.3.15",
    "pycryptodome": "3.24.1",
    "regex": "2026.11.19",
    "rlp": "5.0.0",
    "safe-pysha3": "1.0.7",
    "sortedcontainers": "2.4.0",
    "toolz": "1.2.0",
    "trie": "4.0.0",
}
"""Of rules versions 3 to 8: distributions and their versions, what they need themselves included. constraints.txt pins the same."""

GM_LIBRARY: Final = "gmssl-pyx"
"""SM2 and SM3. A genesis that names it has a hub accept chains of FISCO BCOS under that suite."""
CHOSEN: Final[Mapping[str, str]] = {GM_LIBRARY: "2.1.0"}
"""Libraries that a genesis may name besides, each with what a hub offers where it is named; and their versions."""
CHOSEN_SINCE: Final = rules_versions.IDENTITY

TABLES: Final[Mapping[int, Mapping[str, str]]] = {
    rules_versions.FIRST: ALGORITHMS,
    rules_versions.SETTLES_WHILE_PAUSED: ALGORITHMS,
    rules_versions.BOUNDED_EXECUTION: PINNED,
    rules_versions.RECORDS: PINNED,
    rules_versions.IDENTITY: PINNED,
    rules_versions.SM2_KEYS: PINNED,
    rules_versions.STORAGE: PINNED,
    rules_versions.DIRECTORY: PINNED,
}


def library_table(rules_version: int, chosen: Collection[str] = ()) -> tuple[tuple[str, str], ...]:
    """What `rules.libraries` of a genesis of this version must say, by name.

    The version is one of `rules_versions.ALL`.

    Args:
        chosen: those of `CHOSEN` that the genesis names besides; none before rules version 5.

    Raises:
        KeyError: it is another version.
    """
    besides = chosen if rules_version >= CHOSEN_SINCE else ()
    return tuple(
        sorted({**TABLES[rules_version], **{name: CHOSEN[name] for name in CHOSEN if name in besides}}.items())
    )


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def unfit_library(version_of: Callable[[str], str | None] = _installed, chosen: Collection[str] = ()) -> str | None:
    """One sentence about the first installed library that is not the pinned one; None where all are.

    Asked whatever rules version the hub has, since it may take up the newest.

    Args:
        chosen: those of `CHOSEN` that the genesis names besides.
    """
    besides = {name: CHOSEN[name] for name in CHOSEN if name in chosen}
    for distribution, expected in {**PINNED, **besides}.items():
        got = version_of(distribution)
        if got != expected:
            extras = "gm,relay" if GM_LIBRARY in besides else "relay"
            here = f"has version {got}" if got is not None else "is not installed"
            return (
                f"the library {distribution} {here}, the rules of this hutong need {expected}, and another one may"
                f" execute a block otherwise: pip install '{distribution}=={expected}', or all of them: pip install -c constraints.txt '.[{extras}]' in the checkout"
            )
    return None
