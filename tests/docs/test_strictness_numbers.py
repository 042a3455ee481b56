"""docs/spec/strictness.md names the bounds of the code, and each of its rules once."""

import re
from pathlib import Path

import pytest

from hutong.light_clients.clique import types as clique
from hutong.light_clients.ibc import denom, packet, transfer
from hutong.light_clients.interface import MAX_PATH_ELEMENT_BYTES, MAX_PATH_ELEMENTS, MAX_PROOF_BYTES, json_text
from hutong.light_clients.proofs.ics23 import codec
from hutong.light_clients.proofs.ics23.specs import DEFAULT_MAX_DEPTH
from hutong.light_clients.proofs.mpt import rlp, trie

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "spec" / "strictness.md").read_text(encoding="utf-8")
RULES = dict(re.findall(r"^\| ([A-Z][0-9]+) \| (.*?) \|", PAGE, re.MULTILINE))
KIB = 1024


@pytest.mark.parametrize(
    ("rule", "words", "value"),
    [
        ("P3", "more than {} payloads", packet.MAX_PAYLOADS),
        ("P3", "version or encoding above {} bytes", packet.MAX_TEXT_BYTES),
        ("P3", "acknowledgements above {} KiB", packet.MAX_ACKNOWLEDGEMENT_BYTES // KIB),
        ("P5", "an integer of more than {} characters", json_text.MAX_INTEGER_CHARS),
        ("P6", "above {} characters, hops", denom.MAX_BASE_CHARS),
        ("P6", "more than {} hops", denom.MAX_HOPS),
        ("P6", "more than {} characters", denom.MAX_DENOM_CHARS),
        ("P8", "above {} bytes in token packets", transfer.MAX_RECEIVER_BYTES),
        ("P8", "above {} bytes in token packets", transfer.MAX_SENDER_BYTES),
        ("R1", "more than {} nested lists", rlp.MAX_DEPTH),
        ("I8", "paths above {} steps", codec.MAX_PATH_STEPS),
        ("I8", "proofs above {} KiB", MAX_PROOF_BYTES // KIB),
        ("I8", "chains of more than {} trees", MAX_PATH_ELEMENTS),
        ("I8", "path elements that are empty or above {} bytes", MAX_PATH_ELEMENT_BYTES),
        ("I8", "`max_depth` 0 means {}", DEFAULT_MAX_DEPTH),
        ("M6", "more than {} nodes", trie.MAX_NODES),
        ("M6", "nodes above {} bytes", trie.MAX_NODE_BYTES),
        ("Q5", "more than {} signers", clique.MAX_SIGNERS),
        ("Q5", "more than {} open votes", clique.MAX_OPEN_VOTES),
    ],
)
def test_bounds_are_those_of_the_code(rule, words, value):
    shown = f"{value:,}".replace(",", " ")
    assert words.format(shown) in RULES[rule]


def test_each_rule_stands_once():
    codes = re.findall(r"^\| ([A-Z][0-9]+) \|", PAGE, re.MULTILINE)
    assert len(codes) == len(set(codes)) == len(RULES)
