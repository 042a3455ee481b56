"""What refusals of rules versions 1 and 2 said is hashed into headers and kept in the state: those blocks must find it again.

`recorded_sentences.txt` has every text of the code that may be part of a refusal, as it was when version 2 was the newest;
`{}` stands for what is filled in. A text that is worded anew needs a row of `recorded_sentences.RECORDED`, by whose old words
blocks of these versions are executed.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from hutong.light_clients.ibc.transfer import TransferData
from hutong.light_clients.interface import ClientFrozen, MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.recorded_sentences import RECORDED, RECORDED_TO_3, as_recorded
from tests.relay.hub.application.transfer.token_chain import ALICE, TOKEN, TokenChain, transfer_payload
from tests.relay.hub.simulated_hub import RemoteChain, SimulatedHub, forward_payload, hub_genesis

ROOT = Path(__file__).resolve().parents[4]
LIST = Path(__file__).with_name("recorded_sentences.txt")
EXECUTED = (ROOT / "light_clients", ROOT / "relay" / "hub" / "application")
BEFORE_3 = (rules_versions.FIRST, rules_versions.SETTLES_WHILE_PAUSED)


def texts(tree: ast.AST) -> Iterator[str]:
    """Every literal of a module, and every f-string with `{}` for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def present() -> frozenset[str]:
    modules = [path for folder in EXECUTED for path in folder.rglob("*.py") if path.name != "recorded_sentences.py"]
    return frozenset(text for path in modules for text in texts(ast.parse(path.read_text())))


@pytest.mark.long
def test_every_recorded_sentence_is_said_still_or_has_a_row():
    recorded = LIST.read_text().splitlines()
    assert len(recorded) > 500
    kept = {*RECORDED.values(), *RECORDED_TO_3.values()}
    missing = [text for text in recorded if text not in present() and text not in kept]
    assert not missing, "worded anew without a row of RECORDED_TO_3"


def test_every_row_is_needed_and_its_new_words_are_its_own():
    recorded = set(LIST.read_text().splitlines())
    for new, old in {**RECORDED, **RECORDED_TO_3}.items():
        assert new in present()
        assert old in recorded
        assert old not in present()
        assert new not in recorded, "versions 1 and 2 said this of something else"


@pytest.mark.parametrize("version", rules_versions.ALL)
@pytest.mark.parametrize("new", [*RECORDED, *RECORDED_TO_3])
def test_words_follow_the_rules_version(new, version):
    words = RECORDED.get(new, new) if version in BEFORE_3 else new
    words = RECORDED_TO_3.get(words, words) if version < rules_versions.RECORDS else words
    malformed = MalformedInput("packet", new, got=b"\1", expected="nothing")
    assert as_recorded(malformed, version) == replace(malformed, reason=words)
    failed = PredicateFailed("some_rule", new, got=7)
    assert as_recorded(failed, version) == replace(failed, reason=words)
    unsupported = UnsupportedOperation(new, "since when")
    assert as_recorded(unsupported, version) == UnsupportedOperation(words, "since when")


@pytest.mark.parametrize("version", BEFORE_3)
@pytest.mark.parametrize("new", RECORDED)
def test_attack_words_of_the_sender_are_stored_as_they_are(new, version):
    """A sender may write the new words into what a refusal quotes: only the code's own words are replaced."""
    for error in (
        MalformedInput("memo", "a key that looks like forward", got=new),
        PredicateFailed("account_matches", "account", got=new, expected=new),
        ClientFrozen(new),
    ):
        assert as_recorded(error, version) == error


@pytest.mark.parametrize("version", rules_versions.ALL)
def test_failure_of_a_packet_is_recorded_in_the_words_of_its_version(version):
    hub = SimulatedHub(genesis=hub_genesis(rules_version=version))
    chain, destination = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    payload = forward_payload(destination.client, hub.time_s + 500)
    ((reason,),) = chain.deliver(chain.send(replace(payload, value=payload.value + bytes(32)))).events(
        abi.APP_CALLBACK_ERROR_EVENT
    )
    place = "after" if version >= rules_versions.BOUNDED_EXECUTION else "behind"
    assert f": bytes {place} the ABI data" in reason.decode()


@pytest.mark.parametrize("version", rules_versions.ALL)
def test_refused_memo_is_recorded_in_the_words_of_its_version(version):
    hub = SimulatedHub(genesis=hub_genesis(rules_version=version))
    chain, destination = TokenChain(hub, salt=1), RemoteChain(hub, salt=2)
    forward = {"receiver": "x", "port": "transfer", "channel": destination.client, "next": {"forward": {}}}
    packet = chain.send(transfer_payload(TransferData(TOKEN, ALICE, "x", 5, json.dumps({"forward": forward}))))
    ((reason,),) = chain.deliver(packet).events(abi.APP_CALLBACK_ERROR_EVENT)
    words = "a second hop after" if version >= rules_versions.BOUNDED_EXECUTION else "one hop behind"
    assert reason.decode() == f"transfer: not supported: forward_memo.next: {words} the hub"
