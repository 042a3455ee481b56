"""Status lists and proofs beside openvc-core: each reads what the other writes, and we accept nothing that it refuses."""

import json
import subprocess
from pathlib import Path
from random import Random

import pytest

from hutong.light_clients.interface import VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import read_jwk
from hutong.relay.services.identity.rules.status import (
    Statuses,
    compressed_list_is_whole,
    encoded_list,
    encoded_list_is_whole,
    status_at,
    status_list_claim,
)
from hutong.relay.services.identity.rules.vc2 import judge_integrity
from tests.nodes.provision import python_peers
from tests.relay.services.identity.rules.actors import ISSUER_KEY
from tests.relay.services.identity.rules.vc2.documents import CREDENTIAL
from tests.relay.services.identity.rules.vc2.test_data_integrity import METHOD, NOW_NS, proof

pytestmark = pytest.mark.nodes

SCRIPT = Path(__file__).with_name("status_list_peer_script.py")
SEED, CHANGES = 20261129, 400
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def openvc(questions):
    done = subprocess.run(
        [str(python_peers()), str(SCRIPT)],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return json.loads(done.stdout)


def drawn_lists(count):
    drawn = Random(SEED)
    for _ in range(count):
        octets = bytearray(drawn.choice((1, 32, 131_072 // 8)))
        for _ in range(drawn.randrange(9)):
            octets[drawn.randrange(len(octets))] = drawn.randrange(256)
        yield Statuses(drawn.choice((1, 2, 4, 8)), bytes(octets)), drawn


def test_each_reads_the_lists_of_the_other():
    lists = [statuses for statuses, _ in drawn_lists(40)]
    indices = [sorted({0, statuses.size // 3, statuses.size - 1}) for statuses in lists]
    wide = [statuses for statuses in lists if len(statuses.octets) * 8 >= 131_072]
    answers = iter(
        openvc(
            [
                {"do": "read token list", **status_list_claim(s), "indices": at}
                for s, at in zip(lists, indices, strict=True)
            ]
            + [{"do": "write token list", "octets": s.octets.hex()} for s in lists]
            + [{"do": "read bitstring", "list": encoded_list(s)} for s in wide]
            + [{"do": "write bitstring", "octets": s.octets.hex()} for s in wide]
        )
    )
    for statuses, at in zip(lists, indices, strict=True):
        assert next(answers)["found"] == [statuses.octets.hex(), [status_at(statuses, index) for index in at]]
    for statuses in lists:
        assert compressed_list_is_whole({"bits": statuses.bits, "lst": next(answers)["found"]}) == statuses
    assert len(wide) > 5
    for statuses in wide:
        mirrored = bytes.fromhex(next(answers)["found"])
        assert encoded_list_is_whole(encoded_list(Statuses(1, statuses.octets)), 1).octets == statuses.octets
        assert len(mirrored) == len(statuses.octets)
    for statuses in wide:
        read = encoded_list_is_whole(next(answers)["found"], 1)
        # Their bytes are the bitstring itself: bit 0 is the most significant one of the first byte.
        assert all(
            status_at(read, index) == statuses.octets[index // 8] >> 7 - index % 8 & 1
            for index in range(0, 131_072, 101)
        )


def test_what_it_refuses_of_changed_lists_we_refuse():
    texts = []
    for statuses, drawn in drawn_lists(CHANGES):
        text = list(status_list_claim(Statuses(statuses.bits, statuses.octets[:32]))["lst"])
        for _ in range(drawn.randrange(1, 4)):
            at = drawn.randrange(len(text))
            text[at : at + drawn.randrange(2)] = drawn.choice(ALPHABET) * drawn.randrange(2)
        texts.append("".join(text))
    answers = openvc([{"do": "read token list", "lst": text, "bits": 1, "indices": []} for text in texts])
    refused = accepted = 0
    for text, answer in zip(texts, answers, strict=True):
        try:
            ours = compressed_list_is_whole({"bits": 1, "lst": text}).octets.hex()
        except VerificationError:
            refused += 1
            continue
        accepted += 1
        assert answer == {"found": [ours, []]}, text
    assert refused > CHANGES // 2


def test_both_take_a_proof_and_neither_takes_a_changed_one():
    document = {**CREDENTIAL, "credentialSubject": {"id": "did:example:subject", "class": "B"}}
    signed = {**document, "proof": proof(document=document)}
    changed = {**signed, "name": "another"}
    good, bad = openvc([{"do": "verify proof", "document": each, "jwk": ISSUER_KEY.jwk} for each in (signed, changed)])
    methods = {METHOD: ISSUER_KEY.public}
    assert good == {"found": True} and judge_integrity(VERIFY, signed, methods, NOW_NS) == 1
    assert "SignatureInvalid" in bad["refused"]
    with pytest.raises(VerificationError):
        judge_integrity(VERIFY, changed, methods, NOW_NS)


def test_a_proof_of_its_making_needs_the_contexts_that_it_signed():
    """Its signature covers `@context`, which the suites put into the proof and it leaves out: a row of strictness.md."""
    ((document, jwk),) = (
        answer["found"] for answer in openvc([{"do": "write proof", "document": CREDENTIAL, "method": METHOD}])
    )
    methods = {METHOD: read_jwk({name: value for name, value in jwk.items() if name != "kid"}, "key")}
    with pytest.raises(VerificationError, match="proof_verifies"):
        judge_integrity(VERIFY, document, methods, NOW_NS)
    whole = {**document, "proof": {**document["proof"], "@context": document["@context"]}}
    assert judge_integrity(VERIFY, whole, methods, NOW_NS) == 1
