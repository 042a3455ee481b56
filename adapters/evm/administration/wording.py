"""Calldata of hutong's contracts in words: which function, with which arguments, for people who are to sign it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_utils.address import to_checksum_address

from hutong.adapters.evm.administration.access_manager import SCHEDULE
from hutong.adapters.evm.administration.rights import ARTIFACTS
from hutong.contracts.artifacts import load_artifact
from hutong.contracts.roles import signatures
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import MalformedInput

SELECTOR_BYTES = 4
MAX_CALL_BYTES = 128 * 1024
"""Of a transaction that nodes accept."""
MAX_SHOWN_CHARACTERS = 1_000
MAX_SHOWN_ITEMS = 32
_HEX = re.compile("0x[0-9a-fA-F]*")


@dataclass(frozen=True, slots=True)
class Worded:
    """One call: `function` as `name(types)`, and its arguments by name, bytes in hex and addresses in EIP-55."""

    function: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        return self.said({})

    def said(self, notes: Mapping[str, str]) -> str:
        """One line, with a note in brackets after some arguments. Long values are cut and say so."""
        named = (
            f"{name} = {_text(value)}{f' ({notes[name]})' if name in notes else ''}"
            for name, value in self.arguments.items()
        )
        return f"{self.function.partition('(')[0]}({', '.join(named)})"


def in_words(data: bytes) -> Worded | None:
    """None if no contract of hutong has the function, or the bytes are not its arguments."""
    known = _functions().get(data[:SELECTOR_BYTES])
    if known is None:
        return None
    signature, inputs = known
    types = _types(signature)
    try:
        values = decode_canonical(types, data[SELECTOR_BYTES:], "data", MAX_CALL_BYTES)
    except MalformedInput:
        return None
    pairs = zip(inputs, values, strict=True)
    return Worded(signature, {str(each["name"]): _plain(each, value) for each, value in pairs})


def scheduled_call(data: bytes) -> tuple[str, bytes] | None:
    """(EIP-55 target, calldata) of what an AccessManager is to schedule; None for any other call."""
    if data[:SELECTOR_BYTES] != SCHEDULE.selector:
        return None
    try:
        target, inner, _ = decode_canonical(list(SCHEDULE.inputs), data[SELECTOR_BYTES:], "data", MAX_CALL_BYTES)
    except MalformedInput:
        return None
    return to_checksum_address(target), bytes(inner)


@cache
def _functions() -> dict[bytes, tuple[str, Sequence[dict[str, Any]]]]:
    found = {}
    for artifact in ARTIFACTS.values():
        entries = [entry for entry in load_artifact(artifact).abi if entry["type"] == "function"]
        for (selector, signature), entry in zip(signatures(artifact).items(), entries, strict=True):
            found[selector] = (signature, entry["inputs"])
    return found


def _types(signature: str) -> list[str]:
    """The outermost types between the parentheses."""
    found, depth, word = [], 0, ""
    for character in signature.partition("(")[2][:-1]:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            found.append(word)
            word = ""
        else:
            word += character
    return [*found, word] if word else found


def _plain(parameter: dict[str, Any], value: Any) -> Any:
    """For JSON: tuples by the names of their parts."""
    kind = str(parameter["type"])
    if kind.endswith("[]"):
        return [_plain({**parameter, "type": kind.removesuffix("[]")}, each) for each in value]
    if kind == "tuple":
        return {part["name"]: _plain(part, each) for part, each in zip(parameter["components"], value, strict=True)}
    if kind == "address":
        return to_checksum_address(value)
    return f"0x{value.hex()}" if isinstance(value, bytes) else value


def _text(value: Any) -> str:
    """Of an argument. Strings are escaped: whoever may schedule a call must not write on the reader's terminal."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        more = [f"and {len(value) - MAX_SHOWN_ITEMS} more"] if len(value) > MAX_SHOWN_ITEMS else []
        return "[" + ", ".join([*map(_text, value[:MAX_SHOWN_ITEMS]), *more]) + "]"
    if not isinstance(value, str):
        return str(value)
    if _HEX.fullmatch(value):
        return value if len(value) <= MAX_SHOWN_CHARACTERS else f"{value[:66]}… ({len(value) // 2 - 1} bytes)"
    cut = json.dumps(value[:MAX_SHOWN_CHARACTERS])
    return cut if len(value) <= MAX_SHOWN_CHARACTERS else f"{cut}… ({len(value)} characters)"
