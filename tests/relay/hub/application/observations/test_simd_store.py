"""Store keys of a real Cosmos chain: the answers that an unmodified simd gave, judged as the hub's module judges them."""

import base64
import json
from pathlib import Path

import pytest

from hutong.light_clients.interface import Height, MemoryConsensusStates, PredicateFailed
from hutong.light_clients.proofs.ics23 import IAVL_SPEC, TENDERMINT_SPEC
from hutong.light_clients.protobuf import ics23_pb2
from hutong.light_clients.records import PROVEN, ObservationKey, StorePlace
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state
from hutong.light_clients.tendermint.types import ClientState, ConsensusState, TrustLevel
from hutong.relay.hub.application.clients import KnownBlock
from hutong.relay.hub.application.observations.proving import Item, Shown, prove

RECORDED = json.loads((Path(__file__).parents[4] / "adapters" / "cosmos" / "recorded_simd.json").read_text())["answers"]
QUERIED = 18
DAY_NS = 86_400 * 10**9


def _answers() -> dict[bytes, dict]:
    """Proven answers by the key that was asked for."""
    found = {}
    for question, answer in RECORDED.items():
        method, parameters = json.loads(question)
        if method == "abci_query" and parameters["prove"]:
            assert (parameters["path"], parameters["height"]) == ("/store/ibc/key", str(QUERIED))
            found[bytes.fromhex(parameters["data"])] = answer["result"]["response"]
    return found


ANSWERS = _answers()


def known_block() -> KnownBlock:
    header = RECORDED[f'["commit",{{"height":"{QUERIED + 1}"}}]']["result"]["signed_header"]["header"]
    height = Height(1, QUERIED + 1)
    state = ConsensusState(1_800_000_000 * 10**9, bytes.fromhex(header["app_hash"]), bytes(32))
    client = ClientState(
        "simd-1",
        TrustLevel(1, 3),
        DAY_NS,
        2 * DAY_NS,
        10**9,
        Height(0, 0),
        height,
        (IAVL_SPEC, TENDERMINT_SPEC),
        ("upgrade",),
    )
    encoded = encode_consensus_state(state)
    return KnownBlock(
        TendermintClient(), encode_client_state(client), MemoryConsensusStates({height: encoded}), encoded, 0
    )


def item(key: bytes, value: bytes, store: bytes = b"ibc") -> Item:
    place = StorePlace(store, key)
    return Item(ObservationKey.of("07-tendermint-0", place).to_bytes(), place, value)


def proof_of(answer: dict) -> bytes:
    proofs = [ics23_pb2.CommitmentProof.FromString(base64.b64decode(op["data"])) for op in answer["proofOps"]["ops"]]
    return ics23_pb2.MerkleProof(proofs=proofs).SerializeToString(deterministic=True)


def test_every_recorded_value_and_absence_is_proven():
    keys = sorted(ANSWERS, key=lambda key: item(key, b"").key)
    values = [base64.b64decode(ANSWERS[key]["value"] or "") for key in keys]
    shown = Shown(
        Height(1, QUERIED + 1),
        b"",
        tuple(proof_of(ANSWERS[key]) for key in keys),
        tuple(item(key, value) for key, value in zip(keys, values, strict=True)),
    )
    proven = prove(known_block(), "07-tendermint", shown)
    assert proven.values == tuple(value or None for value in values)
    assert proven.trust == PROVEN
    assert None in proven.values and any(proven.values)


@pytest.mark.parametrize("lie", ["another value", "absence of what is there", "another store", "no store"])
def test_attack_J5_what_simd_did_not_say_is_refused(lie):
    key, answer = next((key, answer) for key, answer in sorted(ANSWERS.items()) if answer["value"])
    value = base64.b64decode(answer["value"])
    told = {
        "another value": item(key, value + b"\0"),
        "absence of what is there": item(key, b""),
        "another store": item(key, value, b"bank"),
        "no store": item(key, value, b""),
    }[lie]
    with pytest.raises(PredicateFailed) as refused:
        prove(known_block(), "07-tendermint", Shown(Height(1, QUERIED + 1), b"", (proof_of(answer),), (told,)))
    assert refused.value.predicate
