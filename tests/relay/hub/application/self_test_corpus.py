"""Writes the hub's self-test corpora: `python -m tests.relay.hub.application.self_test_corpus` from the root. The files are frozen."""

import json
from dataclasses import replace
from pathlib import Path

from hutong.light_clients.attestation import encode_attestation
from hutong.light_clients.bft_evm import encode_header_message
from hutong.light_clients.crypto import bls, eth_address, keccak256, ripemd160, secp256k1, sha256
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.state import GENESIS_KEY, VersionedState
from tests.light_clients.attestation.attested_chain import KEY, OTHER_KEY, VALUE, AttestedChain
from tests.light_clients.bft_evm.simulated_chain import ROUTER, SimulatedChain, State, slot_of, trusting
from tests.light_clients.crypto.test_bls import G1_OUTSIDE_SUBGROUP, G2_OUTSIDE_SUBGROUP
from tests.light_clients.crypto.test_ed25519 import mixed_order_signature
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon
from tests.light_clients.records.observed_state import attested_root, nodes_for
from tests.light_clients.tlog.simulated_log import WITNESSES, SimulatedLog
from tests.relay.hub.application.directory_vectors import directory_vectors
from tests.relay.hub.application.gm_vectors import corpus_gm
from tests.relay.hub.application.identity_vectors import identity_vectors, sm2_key_vectors
from tests.relay.hub.application.machine.precompile_vectors import precompile_vectors
from tests.relay.hub.application.storage_vectors import storage_vectors

HERE = Path(__file__).resolve()
APPLICATION = HERE.parents[4] / "relay" / "hub" / "application"
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def ed25519_vectors() -> list[dict]:
    # RFC 8032, 7.1, TEST 1.
    key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    high_s = signature[:32] + (int.from_bytes(signature[32:], "little") + ED25519_ORDER).to_bytes(32, "little")
    identity = b"\x01" + bytes(31)
    identity_not_canonical = (2**255 - 19 + 1).to_bytes(32, "little")
    cases = [
        ("RFC 8032 test 1", key, b"", signature, True),
        ("other message", key, b"x", signature, False),
        ("s not reduced", key, b"", high_s, False),
        ("small-order key, s = 0", identity, b"hutong", identity + bytes(32), True),
        ("small-order key, not canonical", identity_not_canonical, b"hutong", identity + bytes(32), True),
        ("R not canonical", identity, b"hutong", identity_not_canonical + bytes(32), True),
        ("63-byte signature", key, b"", signature[:63], False),
    ]
    return [
        {
            "algorithm": "ed25519",
            "name": f"ed25519: {name}",
            "public_key": public_key.hex(),
            "message": message.hex(),
            "signature": sig.hex(),
            "expected": str(expected),
        }
        for name, public_key, message, sig, expected in cases
    ]


def secp256k1_vectors() -> list[dict]:
    secret = keccak256(b"hutong self-test")
    key = secp256k1.public_key_of(secret)
    digest = sha256(b"hutong")
    recoverable = secp256k1.sign_recoverable(secret, digest)
    r, s, v = recoverable[:32], recoverable[32:64], recoverable[64]
    high_s = (secp256k1.ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    checks = [
        ("valid", key, digest, r + s, True),
        ("high s", key, digest, r + high_s, False),
        ("r = 0", key, digest, bytes(32) + s, False),
        ("key off the curve", b"\x02" + b"\xff" * 32, digest, r + s, False),
        ("other digest", key, sha256(b"x"), r + s, False),
    ]
    recoveries = [
        ("valid", r + s + bytes([v]), eth_address(key).hex()),
        ("high s", r + high_s + bytes([v ^ 1]), "none"),
        ("v = 27", r + s + bytes([27 + v]), "none"),
        ("r = 0", bytes(32) + s + bytes([v]), "none"),
    ]
    return (
        [
            {
                "algorithm": "secp256k1",
                "name": f"secp256k1: {name}",
                "public_key": public_key.hex(),
                "digest": dig.hex(),
                "signature": sig.hex(),
                "expected": str(expected),
            }
            for name, public_key, dig, sig, expected in checks
        ]
        + [
            {
                "algorithm": "secp256k1_recover",
                "name": f"secp256k1 recovery: {name}",
                "digest": digest.hex(),
                "signature": sig.hex(),
                "expected": expected,
            }
            for name, sig, expected in recoveries
        ]
        + [
            {
                "algorithm": "secp256k1_recover",
                "name": "secp256k1 recovery: high s where a chain takes both",
                "digest": digest.hex(),
                "signature": (r + high_s + bytes([v ^ 1])).hex(),
                "allow_high_s": True,
                "expected": eth_address(key).hex(),
            }
        ]
    )


def hash_vectors() -> list[dict]:
    return [
        {
            "algorithm": algorithm,
            "name": f"{algorithm}: {len(data)} bytes",
            "data": data.hex(),
            "expected": function(data).hex(),
        }
        for algorithm, function in (("keccak256", keccak256), ("sha256", sha256), ("ripemd160", ripemd160))
        for data in (b"", b"hutong", bytes(136), bytes(range(256)) * 3)
    ]


def ics23_vectors() -> list[dict]:
    store = MemoryStore()
    state = VersionedState(store)
    with store.batch() as batch:
        root = state.commit(batch, 0, {GENESIS_KEY: b"\x01", **{b"key %d" % n: b"value %d" % n for n in range(32)}})
    member = state.get_with_proof(0, b"key 7")[1]
    absent = state.get_with_proof(0, b"key 99")[1]
    cases = [
        ("existence", b"key 7", b"value 7", member, root, "accepted"),
        ("other value", b"key 7", b"value 8", member, root, "refused: PredicateFailed"),
        ("other root", b"key 7", b"value 7", member, bytes(32), "refused: PredicateFailed"),
        ("absence", b"key 99", None, absent, root, "accepted"),
        ("absence of a present key", b"key 7", None, absent, root, "refused: PredicateFailed"),
        ("unknown field", b"key 7", b"value 7", member + b"\x7a\x00", root, "refused: MalformedInput"),
    ]
    return [
        {
            "algorithm": "ics23_smt",
            "name": f"ics23: {name}",
            "key": key.hex(),
            "value": None if value is None else value.hex(),
            "proof": proof.hex(),
            "root": proof_root.hex(),
            "expected": expected,
        }
        for name, key, value, proof, proof_root, expected in cases
    ]


def qbft_vectors() -> list[dict]:
    chain = SimulatedChain()
    chain.advance(3)
    client_state, _ = trusting(chain, 1)
    enough = chain.header(3, 1)
    few = encode_header_message(chain.update(3, 1, chain.propose(3, signers=chain.keys[:2])))
    twice = encode_header_message(chain.update(3, 1, chain.propose(3, signers=[*chain.keys[:2], chain.keys[1]])))
    other = chain.update(3, 1)
    forged = encode_header_message(replace(other, execution=replace(other.execution, gas_used=1)))
    return [
        {
            "algorithm": "qbft",
            "name": f"qbft: {name}",
            "client_state": client_state.hex(),
            "consensus_state": chain.consensus_state(1).hex(),
            "trusted_height": 1,
            "header": header.hex(),
            "now_ns": str(chain.now_ns),
            "expected": expected,
        }
        for name, header, expected in (
            ("four seals of four", enough, "accepted"),
            ("two seals of four", few, "refused: PredicateFailed"),
            ("one signer twice", twice, "refused: PredicateFailed"),
            ("changed after sealing", forged, "refused: PredicateFailed"),
        )
    ]


def attestation_vectors() -> list[dict]:
    chain = AttestedChain()
    chain.put(KEY, VALUE)
    chain.advance()
    enough = chain.state_attestation(2)
    kept, other = enough.signatures
    high_s = (secp256k1.ORDER - int.from_bytes(kept[32:64], "big")).to_bytes(32, "big")
    v_zero = kept[:64] + bytes([kept[64] - 27])
    high = kept[:32] + high_s + bytes([55 - kept[64]])
    updates = [
        ("two of three", enough, "accepted"),
        ("one of three", replace(enough, signatures=(kept,)), "refused: PredicateFailed"),
        ("one signer twice", replace(enough, signatures=(kept, kept)), "refused: PredicateFailed"),
        ("signers out of order", replace(enough, signatures=(other, kept)), "refused: PredicateFailed"),
        ("high s", replace(enough, signatures=(high, other)), "refused: PredicateFailed"),
        ("v = 0 or 1", replace(enough, signatures=(v_zero, other)), "refused: PredicateFailed"),
        (
            "signed for another client",
            chain.state_attestation(2, scope=replace(chain.scope, destination_client_id="attestation-1")),
            "refused: PredicateFailed",
        ),
    ]
    proofs = [
        ("member", KEY, VALUE, chain.proof(2, KEY), "accepted"),
        ("absent", OTHER_KEY, None, chain.proof(2, OTHER_KEY), "accepted"),
        ("member as absent", KEY, None, chain.proof(2, KEY), "refused: PredicateFailed"),
        ("not listed", OTHER_KEY, None, chain.proof(2, KEY), "refused: PredicateFailed"),
        ("other height", KEY, VALUE, chain.proof(1, KEY, lies={KEY: VALUE}), "refused: PredicateFailed"),
        ("state as packets", KEY, VALUE, encode_attestation(enough), "refused: PredicateFailed"),
        ("bytes behind", KEY, VALUE, chain.proof(2, KEY) + bytes(32), "refused: MalformedInput"),
    ]
    return [
        {
            "algorithm": "attestation_update",
            "name": f"attestation: {name}",
            "client_state": chain.client_state(1).hex(),
            "consensus_state": chain.consensus_state(1).hex(),
            "latest_height": 1,
            "header": encode_attestation(attestation).hex(),
            "now_ns": str(chain.now_ns),
            "expected": expected,
        }
        for name, attestation, expected in updates
    ] + [
        {
            "algorithm": "attestation_proof",
            "name": f"attestation proof: {name}",
            "client_state": chain.client_state(2).hex(),
            "consensus_state": chain.consensus_state(2).hex(),
            "path": path.hex(),
            "value": None if value is None else value.hex(),
            "proof": proof.hex(),
            "expected": expected,
        }
        for name, path, value, proof, expected in proofs
    ]


def bls_vectors() -> list[dict]:
    secrets = [sha256(b"hutong self-test" + bytes([number]))[1:].rjust(32, b"\0") for number in range(3)]
    keys = [bls.public_key_of(secret) for secret in secrets]
    message, signature = b"hutong", bls.sign_aggregate(secrets, b"hutong")
    infinity_key, infinity_signature = b"\xc0" + bytes(47), b"\xc0" + bytes(95)
    opposite = bytes([keys[0][0] ^ 0x20]) + keys[0][1:]
    not_below_the_modulus = b"\x9a" + b"\xff" * 47
    cases = [
        ("three signers", keys, message, signature, True),
        ("other message", keys, b"x", signature, False),
        ("one signer less", keys[:2], message, signature, False),
        ("no signer", [], message, signature, False),
        ("infinity among the keys", [*keys, infinity_key], message, signature, False),
        ("keys that cancel out", [keys[0], opposite], message, infinity_signature, False),
        ("infinity signs", keys, message, infinity_signature, False),
        ("key outside the subgroup", [*keys[:2], G1_OUTSIDE_SUBGROUP], message, signature, False),
        ("signature outside the subgroup", keys, message, G2_OUTSIDE_SUBGROUP, False),
        ("x not below the modulus", [not_below_the_modulus], message, signature, False),
        ("key not compressed", [bytes([keys[0][0] & 0x7F]) + keys[0][1:], *keys[1:]], message, signature, False),
        ("95-byte signature", keys, message, signature[:95], False),
    ]
    return [
        {
            "algorithm": "bls12_381",
            "name": f"bls: {name}",
            "public_keys": [key.hex() for key in public_keys],
            "message": signed.hex(),
            "signature": sig.hex(),
            "expected": str(expected),
        }
        for name, public_keys, signed, sig, expected in cases
    ]


def sync_committee_vectors() -> list[dict]:
    chain = SimulatedBeacon()
    finalized = chain.advance(8)
    cases = [
        ("all of 32", {}, "accepted"),
        ("22 of 32", {"members": range(22)}, "accepted"),
        ("21 of 32", {"members": range(21)}, "refused: PredicateFailed"),
    ]
    return [
        {
            "algorithm": "sync_committee",
            "name": f"sync committee: {name}",
            "client_state": chain.client_state(FIRST_SLOT).hex(),
            "consensus_state": chain.consensus_state(FIRST_SLOT).hex(),
            "trusted_slot": FIRST_SLOT,
            "header": chain.message(finalized, **how).hex(),
            "now_ns": str(chain.now_ns),
            "expected": expected,
        }
        for name, how, expected in cases
    ]


def corpus() -> dict:
    return {
        "format": "hutong-self-test-1",
        "vectors": ed25519_vectors()
        + secp256k1_vectors()
        + hash_vectors()
        + ics23_vectors()
        + qbft_vectors()
        + attestation_vectors()
        + bls_vectors()
        + sync_committee_vectors(),
    }


def corpus_3() -> dict:
    """Of rules version 3."""
    return {"format": "hutong-self-test-3", "vectors": corpus()["vectors"] + precompile_vectors(3)}


def attested_root_vectors() -> list[dict]:
    chain = AttestedChain()
    chain.advance(2)
    root = keccak256(b"state root")
    enough = attested_root(chain, 3, root)
    cases = [
        ("two of three", enough, f"{root.hex()} by 2 of 3"),
        ("one of three", attested_root(chain, 3, root, keys=chain.keys[:1]), "refused: PredicateFailed"),
        ("of another height", attested_root(chain, 2, root), "refused: PredicateFailed"),
        ("signed as a state", chain.update(3), "refused: PredicateFailed"),
        ("bytes after it", enough + bytes(32), "refused: MalformedInput"),
    ]
    return [
        {
            "algorithm": "attested_root",
            "name": f"state root: {name}",
            "client_state": chain.client_state(3).hex(),
            "consensus_state": chain.consensus_state(3).hex(),
            "height": 3,
            "shown": shown.hex(),
            "now_ns": str(chain.now_ns),
            "expected": expected,
        }
        for name, shown, expected in cases
    ]


def evm_place_vectors() -> list[dict]:
    state = State({slot_of(b"%d" % number): bytes([number + 1]) * 32 for number in range(24)}, balance_wei=5)
    held, other, absent = slot_of(b"3"), slot_of(b"4"), bytes(32)
    owned = keccak256(bytes([3]))[:20]
    slots = [SlotPlace(ROUTER, held), SlotPlace(ROUTER, absent)]
    fields = [FieldPlace(ROUTER, name) for name in AccountField]
    nobody = FieldPlace(b"\xee" * 20, AccountField.BALANCE)
    no_code = SlotPlace(owned, held)
    nodes = nodes_for(state, slots)
    with_more = nodes_for(state, [*slots, SlotPlace(ROUTER, other)])
    assert len(with_more) > len(nodes)
    router = " ".join(
        word.hex()
        for word in ((1).to_bytes(32, "big"), (5).to_bytes(32, "big"), state.code_hash, state.storage_trie.root_hash)
    )
    cases = [
        ("a slot and an empty one", slots, nodes, f"{'04' * 32} -"),
        ("fields and an absent account", [*fields, nobody], nodes_for(state, [*fields, nobody]), f"{router} -"),
        ("a node that no place needs", slots, with_more, "refused: PredicateFailed"),
        ("a node that is not there", slots, nodes[:-1], "refused: PredicateFailed"),
        ("nodes in another order", slots, nodes[::-1], "refused: MalformedInput"),
        ("an account without code", [no_code], nodes_for(state, [no_code]), "refused: PredicateFailed"),
    ]
    return [
        {
            "algorithm": "evm_places",
            "name": f"places: {name}",
            "state_root": state.account_trie.root_hash.hex(),
            "nodes": [node.hex() for node in shown],
            "places": [[int(place.kind), place.name.hex()] for place in places],
            "expected": expected,
        }
        for name, places, shown, expected in cases
    ]


def ed25519_strict_vectors() -> list[dict]:
    """Where libraries differ: what ZIP-215 takes is refused."""
    taken = [vector for vector in ed25519_vectors() if vector["algorithm"] == "ed25519"]
    strict = [vector | {"expected": str(vector["name"] == "ed25519: RFC 8032 test 1")} for vector in taken]
    public_key, message, signature = mixed_order_signature()
    strict.append(
        {
            "name": "ed25519: R with a part of small order",
            "public_key": public_key.hex(),
            "message": message.hex(),
            "signature": signature.hex(),
            "expected": "False",
        }
    )
    return [
        vector | {"algorithm": "ed25519_strict", "name": vector["name"].replace("ed25519", "ed25519 strict")}
        for vector in strict
    ]


def log_vectors() -> list[dict]:
    """Updates of a signed log, and proofs of an entry and of a message in it."""
    log = SimulatedLog()
    log.advance(7)
    log.publish(KEY, VALUE)
    size, trusted = log.size, 5
    at_s = log.time_s(size)
    client, state = log.client_state(trusted), log.consensus_state(trusted)
    few = log.note(size, [(WITNESSES[0], at_s)])
    fork = SimulatedLog([b"rewritten", *log.entries[1:]])
    updates = [
        ("grown", log.header(size, trusted), "accepted"),
        ("cosigned by one of three", log.header(size, trusted, few), "refused: PredicateFailed"),
        ("signature of the log changed", _flipped(log.header(size, trusted)), "refused: PredicateFailed"),
        ("another beginning", fork.header(size, trusted), "accepted"),
        ("cosigned twice by one", log.header(size, trusted, log.note(size, [(WITNESSES[0], at_s)] * 2)),
         "refused: PredicateFailed"),
    ]  # fmt: skip
    shown = [
        {
            "algorithm": "log_update",
            "name": f"log update: {name}",
            "client_state": client.hex(),
            "consensus_state": state.hex(),
            "trusted_size": trusted,
            "header": header.hex(),
            "now_ns": str(at_s * 10**9),
            "expected": expected,
        }
        for name, header, expected in updates
    ]
    under = {
        "algorithm": "log_proof",
        "client_state": log.client_state(size).hex(),
        "consensus_state": log.consensus_state(size).hex(),
    }
    entry, message = log.proof(3, size).hex(), log.message_proof(size - 1, size).hex()
    return [
        *shown,
        under | {"name": "log: an entry", "index": 3, "proof": entry, "value": log.entries[3].hex(), "expected": "accepted"},
        under | {"name": "log: another entry", "index": 3, "proof": entry, "value": log.entries[4].hex(),
                 "expected": "refused: PredicateFailed"},
        under | {"name": "log: a message", "path": KEY.hex(), "proof": message, "value": VALUE.hex(),
                 "expected": "accepted"},
        under | {"name": "log: a message of another key", "path": OTHER_KEY.hex(), "proof": message,
                 "value": VALUE.hex(), "expected": "refused: PredicateFailed"},
    ]  # fmt: skip


def _flipped(header: bytes) -> bytes:
    """One character of the base64 of the first signature becomes another."""
    at = header.index(b" ", header.index("— ".encode()) + 4) + 20
    return header[:at] + (b"B" if header[at : at + 1] == b"A" else b"A") + header[at + 1 :]


def corpus_4() -> dict:
    """Of rules version 4."""
    added = attested_root_vectors() + evm_place_vectors() + ed25519_strict_vectors() + log_vectors()
    return {"format": "hutong-self-test-4", "vectors": corpus()["vectors"] + added + precompile_vectors(4)}


def corpus_5(fourth: dict | None = None) -> dict:
    """Of rules version 5; `fourth` is that of version 4, where it was made already."""
    made = corpus_4() if fourth is None else fourth
    shared = [vector for vector in made["vectors"] if vector["algorithm"] != "precompile"]
    return {"format": "hutong-self-test-5", "vectors": shared + identity_vectors() + precompile_vectors(5)}


def corpus_6(fifth: dict | None = None) -> dict:
    """Of rules version 6; `fifth` is that of version 5, where it was made already."""
    made = corpus_5() if fifth is None else fifth
    shared = [vector for vector in made["vectors"] if vector["algorithm"] != "precompile"]
    return {"format": "hutong-self-test-6", "vectors": shared + sm2_key_vectors() + precompile_vectors(6)}


def corpus_7(sixth: dict | None = None) -> dict:
    """Of rules version 7; `sixth` is that of version 6, where it was made already."""
    made = corpus_6() if sixth is None else sixth
    shared = [vector for vector in made["vectors"] if vector["algorithm"] != "precompile"]
    return {"format": "hutong-self-test-7", "vectors": shared + storage_vectors() + precompile_vectors(7)}


def corpus_8(seventh: dict | None = None) -> dict:
    """Of rules version 8; `seventh` is that of version 7, where it was made already."""
    made = corpus_7() if seventh is None else seventh
    shared = [vector for vector in made["vectors"] if vector["algorithm"] != "precompile"]
    return {"format": "hutong-self-test-8", "vectors": shared + directory_vectors() + precompile_vectors(8)}


def precompiles_of_released_rules() -> dict:
    """Of rules versions 1 and 2, whose corpus is older."""
    return {"format": "hutong-self-test-precompiles-1", "vectors": precompile_vectors(1)}


if __name__ == "__main__":
    for name, document in (
        ("self_test.json", corpus()),
        ("self_test_precompiles.json", precompiles_of_released_rules()),
        ("self_test_3.json", corpus_3()),
        ("self_test_4.json", corpus_4()),
        ("self_test_5.json", corpus_5()),
        ("self_test_6.json", corpus_6()),
        ("self_test_7.json", corpus_7()),
        ("self_test_8.json", corpus_8()),
        ("self_test_gm.json", corpus_gm()),
    ):
        (APPLICATION / name).write_text(json.dumps(document, indent=1) + "\n")
