"""`python -m bench identity steps`: where the processor time of one presentation goes, in microseconds, and what no Python can leave out.

The presentations are those of `verify`, with the issuer's key. Steps are measured in turns, each the best of some rounds. *Library
calls alone* is a straight line that decodes, scans and hashes the same bytes and judges nothing: no verifier that calls the same
libraries from CPython does less.
"""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import cycle
from typing import Any, cast
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from bench.identity import PEERS, Round, key_signature, round_of
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import VerificationKey, key_at
from hutong.relay.services.identity.rules.jose.strict_json import read_json
from hutong.relay.services.identity.rules.sd_jwt import judge_presentation, read_compact
from tests.relay.services.identity.rules.actors import ISSUER_KEY, policy

TURNS, COUNT = 30, 200
AIM = 0.7
_SCAN: Callable[[str, int], tuple[Any, int]] = cast(Any, json.JSONDecoder()).scan_once


@dataclass(frozen=True, slots=True)
class Cut:
    """One presentation as the bare steps need it."""

    text: str
    holder: VerificationKey
    signed: tuple[tuple[bytes, bytes], ...]
    """Message and signature of the issuer, then of the holder."""
    encoded: tuple[str, ...]
    """Payloads and disclosures, which are JSON."""
    signatures: tuple[str, ...]
    hashed: tuple[bytes, ...]
    """Each disclosure, and all that the holder signed over."""


def run(console: Console) -> None:
    """A table of steps, the warm sum beside what a presentation takes, and what the libraries leave for rules."""
    found = measured(round_of("", policy(), PEERS))
    bare, key, calls = found["bare"], found["key"] - found["bare"], found["calls"]
    strict, warm, whole = found["strict"], found["judged"], found["whole"]
    rows = {
        "two ES256 signatures, keys loaded before": bare,
        "the holder's key, which is new each time": key,
        "library calls alone: base64, JSON, SHA-256": calls,
        "names that repeat, numbers, bounds of JSON": strict,
        "rules, parts and their values, in Python": warm - found["point"] - calls - strict,
        "caches that each signature empties, and the rest": whole - bare - (key - found["point"]) - warm,
    }
    table = Table(title="one presentation, the issuer believed by its key", title_justify="left")
    table.add_column("step")
    table.add_column("µs", justify="right")
    for name, cost in {**rows, "all of it": whole}.items():
        table.add_row(name, f"{cost:.1f}")
    console.print(table)
    console.print(f"of two bare signatures: {bare / whole:.2f}; without a rule, {bare / (bare + key + calls):.2f}")
    left = bare / AIM - bare
    console.print(f"{AIM} of them leaves {left:.0f} µs, and {left - key - calls:.0f} µs after the libraries")


def measured(of: Round) -> dict[str, float]:
    """Microseconds of each step."""
    cuts = cycle([cut(text, holder) for text, holder in zip(of.presentations, of.holders, strict=True)])
    issuer = ISSUER_KEY.public

    def bare(made: bool = False) -> None:
        one = next(cuts)
        (first, second), holder = one.signed, one.holder
        if made:
            holder = key_at(holder.algorithm, holder.coordinates, "key")
        if not (issuer.verifies(*first) and holder.verifies(*second)):
            raise ValueError("a signature of the presentation does not verify")

    def judge() -> None:
        judge_presentation(VERIFY, next(cuts).text, of.demand)

    holder = next(cuts).holder
    steps: dict[str, Callable[[], object]] = {
        "whole": judge,
        "bare": bare,
        "key": lambda: bare(made=True),
        "point": lambda: key_at(holder.algorithm, holder.coordinates, "key"),
        "calls": lambda: library_calls(next(cuts)),
        "scans": lambda: scanned(next(cuts), lambda data: _SCAN(data.decode(), 0)),
        "reads": lambda: scanned(next(cuts), lambda data: read_json(data, "", len(data))),
    }
    best: dict[str, float] = {}
    for _ in range(TURNS):
        for name, step in steps.items():
            best[name] = min(best.get(name, float("inf")), cost_us(step))
        with signatures_believed():
            best["judged"] = min(best.get("judged", float("inf")), cost_us(judge))
    return {**best, "strict": best["reads"] - best["scans"]}


def cut(text: str, holder: VerificationKey) -> Cut:
    """The parts of a presentation."""
    parts = read_compact(text)
    tokens = (parts.issuer_jwt, parts.key_binding_jwt or "")
    signed = tuple((token.rpartition(".")[0].encode(), key_signature(token)) for token in tokens)
    encoded = (*(token.split(".")[1] for token in tokens), *parts.disclosures)
    hashed = (*(one.encode() for one in parts.disclosures), parts.without_key_binding.encode())
    return Cut(text, holder, signed, encoded, tuple(token.rpartition(".")[2] for token in tokens), hashed)


def library_calls(one: Cut) -> None:
    """Each is called as its own documentation has it, and nothing is asked of what it gives."""
    for text in one.encoded:
        _SCAN(urlsafe_b64decode(text + "==").decode(), 0)
    for text in one.signatures:
        urlsafe_b64decode(text + "==")
    for data in one.hashed:
        sha256(data).digest()


def scanned(one: Cut, read: Callable[[bytes], object]) -> None:
    """All the JSON of a presentation but its headers, which are kept."""
    for text in one.encoded:
        read(urlsafe_b64decode(text + "=="))


@contextmanager
def signatures_believed() -> Iterator[None]:
    """So that what is left is Python, warm."""
    with patch.object(VerificationKey, "verifies", lambda *_: True):
        yield


def cost_us(step: Callable[[], object]) -> float:
    """Of one call, in processor time."""
    started = time.process_time()
    for _ in range(COUNT):
        step()
    return (time.process_time() - started) / COUNT * 1e6


if __name__ == "__main__":
    run(Console())
