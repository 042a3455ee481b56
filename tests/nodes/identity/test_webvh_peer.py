"""Logs of did:webvh before another implementation: what we take, it takes, and what we refuse beyond it is named."""

import json
import subprocess
from pathlib import Path

import pytest

from hutong.relay.services.identity.rules.dids.resolution import Resolved
from hutong.relay.services.identity.rules.dids.resolve import resolve
from hutong.relay.services.identity.rules.dids.webvh.resolution import Material
from tests.nodes.provision import NotProvisioned, python_peers
from tests.relay.services.identity.rules.dids.webvh.log_forgeries import dated, moved, witness
from tests.relay.services.identity.rules.dids.webvh.log_maker import NOW_S, LogMaker, key_hash, multikey

pytestmark = pytest.mark.nodes
SCRIPT = Path(__file__).with_name("webvh_peer.py")
PREROTATED = {"updateKeys": [multikey(2)], "nextKeyHashes": []}


def with_witness(log, *approvals):
    return log, log.witnessed(*approvals)


def at(place, log):
    log.place = place
    return log, None


def logs():
    """By name a log with its witnesses' file."""
    two, one = witness(2, 10, 11), witness(1, 10)
    portable = LogMaker(portable=True)
    plain = {
        "plain": LogMaker().update().update(updateKeys=[multikey(2)]).update(signer=2),
        "pre-rotation": LogMaker(nextKeyHashes=[key_hash(2)]).update(signer=2, **PREROTATED).update(signer=2),
        "deactivated": LogMaker().update(deactivated=True),
        "another signer": LogMaker().update(signer=2),
        "its own key": LogMaker().update(signer=2, updateKeys=[multikey(2)]),
        "pre-rotation evaded": LogMaker(nextKeyHashes=[key_hash(2)]).update(signer=1),
        "another suite": LogMaker().update(proof=lambda options: options.update(cryptosuite="ecdsa-jcs-2019")),
        "portable later": LogMaker().update(portable=True),
        "equal times": LogMaker().update(change=dated("2020-01-01T00:00:00Z")),
        "another method": LogMaker(method="did:webvh:99.0"),
        "unknown parameter": LogMaker(prerotation=True),
        "null": LogMaker(witness=None),
        "ttl of zero": LogMaker(ttl=0),
        "another purpose": LogMaker().update(proof=lambda options: options.update(proofPurpose="authentication")),
        "an expiry": LogMaker().update(proof=lambda options: options.update(expires="2020-01-01T00:00:00Z")),
        "no next hashes": LogMaker(nextKeyHashes=[key_hash(2)]).update(signer=2, updateKeys=[multikey(2)]),
        "after the end": LogMaker().update(deactivated=True).update(deactivated=False),
        "the future": LogMaker().update(change=dated("9999-01-01T00:00:00Z")),
        "a key twice": LogMaker(updateKeys=[multikey(1), multikey(1)]),
    }
    return {
        **{name: (log, None) for name, log in plain.items()},
        "witnessed": with_witness(LogMaker(witness=two).update(), (10, 2), (11, 2)),
        "one witness twice": with_witness(LogMaker(witness=two).update(), (10, 2), (10, 2)),
        "a witness of the past": with_witness(LogMaker(witness=two).update(), (10, 2), (11, 1)),
        "witnesses turned off": with_witness(LogMaker(witness=one).update(witness={}), (10, 1)),
        "witnesses of its own": with_witness(LogMaker(witness=one).update(witness=witness(1, 13)), (13, 2)),
        "a witness listed twice": with_witness(LogMaker(witness=witness(2, 10, 10)), (10, 1)),
        "moved": at("new.example", portable.update(change=moved("new.example"))),
        "moved, not portable": at("new.example", LogMaker().update(change=moved("new.example"))),
        "moved, old place unnamed": at(
            "new.example", LogMaker(portable=True).update(change=moved("new.example", keeps=False))
        ),
    }


OURS_ALONE = {"ttl of zero"}
"""The text allows it."""
THEIRS_ALONE = {
    "another purpose", "an expiry", "no next hashes", "after the end", "the future", "a key twice",
    "a witness listed twice", "moved, old place unnamed",
}  # fmt: skip
"""Rows W3, W7 and W9 of docs/spec/identity-dids.md."""


def test_logs_are_judged_as_by_another_implementation():
    try:
        python = python_peers()
    except NotProvisioned as reason:
        pytest.skip(str(reason))
    cases = logs()
    questions = [
        {"did": str(log.did.did), "log": log.bytes.decode(), "witness": None if file is None else file.decode()}
        for log, file in cases.values()
    ]
    text = "".join(json.dumps(question) + "\n" for question in questions)
    peer = subprocess.run([python, SCRIPT], input=text, capture_output=True, text=True, check=True)
    theirs = {
        name
        for name, line in zip(cases, peer.stdout.splitlines(), strict=True)
        if "error" not in (json.loads(line).get("didResolutionMetadata") or {})
    }
    ours = {
        name
        for name, (log, file) in cases.items()
        if isinstance(resolve(str(log.did.did), Material(log.bytes, file), NOW_S), Resolved)
    }
    assert ours - theirs == OURS_ALONE
    assert theirs - ours == THEIRS_ALONE
    assert ours >= {"plain", "pre-rotation", "witnessed", "moved", "deactivated"}
