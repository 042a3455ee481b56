"""The self-test of hubs that offer the GM suite: SM3, SM2 and a block of a real chain. Nothing in it is drawn at random."""

from dataclasses import replace

from hutong.light_clients.crypto.engines.known_answers import sm2
from hutong.light_clients.crypto.engines.known_answers.hashes import HASHES
from hutong.light_clients.fisco_bcos import (
    ClientState,
    CryptoSuite,
    Generation,
    SealSignature,
    consensus_state_of,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    header_from_rpc,
)
from hutong.light_clients.interface import Height
from tests.light_clients.fisco_bcos.test_fisco_recorded import RECORDED

HOUR_MS = 3_600_000
MAX_HASHED_BYTES = 1_000


def sm3_vectors() -> list[dict]:
    return [
        {
            "algorithm": "sm3",
            "name": f"sm3: {known.name}",
            "data": known.question[0].hex(),
            "expected": known.answer.hex(),
        }
        for known in HASHES["sm3"]
        if len(known.question[0]) <= MAX_HASHED_BYTES
    ]


def sm2_vectors() -> list[dict]:
    names = ("public_key", "message", "signature")
    return [
        {
            "algorithm": "sm2",
            "name": f"sm2: {known.name}",
            **{name: part.hex() for name, part in zip(names, known.question, strict=True)},
            "expected": str(known.answer),
        }
        for known in sm2.VERIFY
    ]


def fisco_vectors() -> list[dict]:
    """The recorded block 2 of a GM chain, believed by its own sealers an hour before."""
    header = header_from_rpc(RECORDED["v2_gm"], Height(0, 1))
    state = consensus_state_of(header)
    trusted = replace(state, timestamp_ms=state.timestamp_ms - HOUR_MS)
    client = ClientState(
        "chain0/group0", Generation.V2, CryptoSuite.GM, bytes(19) + b"\1", 14 * 24 * 3600, 15, Height(0, 1)
    )
    (first, *others) = header.signatures
    turned = first.signature[32:64] + first.signature[:32] + first.signature[64:]
    cases = {
        "as it was sealed": (header, "accepted"),
        "without signatures": (replace(header, signatures=()), "refused: PredicateFailed"),
        "halves of a signature swapped": (
            replace(header, signatures=(SealSignature(first.sealer_index, turned), *others)),
            "refused: PredicateFailed",
        ),
        "signed twice by one": (replace(header, signatures=(first, first, *others)), "refused: PredicateFailed"),
    }
    return [
        {
            "algorithm": "fisco_update",
            "name": f"fisco-bcos under SM2 and SM3: {name}",
            "client_state": encode_client_state(client).hex(),
            "consensus_state": encode_consensus_state(trusted).hex(),
            "trusted_height": 1,
            "header": encode_header_message(shown).hex(),
            "now_ns": str((state.timestamp_ms + 1_000) * 10**6),
            "expected": expected,
        }
        for name, (shown, expected) in cases.items()
    ]


def corpus_gm() -> dict:
    """Beside the corpus of a rules version, where genesis names the library."""
    return {"format": "hutong-self-test-gm", "vectors": sm3_vectors() + sm2_vectors() + fisco_vectors()}
