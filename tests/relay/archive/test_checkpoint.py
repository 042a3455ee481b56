"""Checkpoint files: read as people write them, and refused by the name of the field."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.types import TrustLevel
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.checkpoint import (
    AttestationTrust,
    BftEvmTrust,
    Checkpoint,
    Destination,
    EthereumTrust,
    Remote,
    TendermintTrust,
    decode_checkpoint,
    encode_checkpoint,
)
from tests.light_clients.ethereum.simulated_beacon import SimulatedBeacon

SPECIFICATION = Path(__file__).parents[3] / "docs" / "spec" / "checkpoint.md"
ROUTER = bytes(17) + bytes.fromhex("c0ffee")
CHECKPOINT = Checkpoint(
    "1001",
    ChainKind.BFT_EVM,
    5,
    b"\1" * 32,
    1_767_225_600 * 10**9,
    604_800,
    30,
    {"client-0": Remote("hutong-1", "bft-evm-0")},
    BftEvmTrust(bytes(16) + bytes.fromhex("c0ffee00")),
)
HUB = replace(
    CHECKPOINT,
    chain_id="hutong-1",
    kind=ChainKind.TENDERMINT,
    time_ns=1_767_225_600_123_456_789,
    trust=TendermintTrust(TrustLevel(1, 3), (b"",), ("smt",)),
    header=b"header",
)
ATTESTED = replace(
    CHECKPOINT,
    kind=ChainKind.ATTESTATION,
    hash=b"",
    trust=AttestationTrust(ROUTER, (b"\1" * 20, b"\2" * 20), 2, (Destination("hutong-1", ROUTER, "attestation-0"),)),
)


def test_vector_of_the_specification():
    assert encode_checkpoint(CHECKPOINT).decode() in SPECIFICATION.read_text()


@pytest.mark.parametrize("checkpoint", [CHECKPOINT, HUB, ATTESTED])
def test_round_trip_in_any_layout(checkpoint):
    data = encode_checkpoint(checkpoint)
    assert decode_checkpoint(data) == checkpoint
    shuffled = dict(reversed(json.loads(data).items()))
    assert decode_checkpoint(json.dumps(shuffled).encode()) == checkpoint


@pytest.mark.parametrize(
    ("checkpoint", "changes", "field"),
    [
        (CHECKPOINT, {"format": "x"}, "checkpoint.format"),
        (CHECKPOINT, {"version": 2}, "checkpoint.version"),
        (CHECKPOINT, {"chain_id": "0x1"}, "checkpoint.chain_id"),
        (CHECKPOINT, {"kind": "bitcoin"}, "checkpoint.kind"),
        (CHECKPOINT, {"height": 0}, "checkpoint.height"),
        (CHECKPOINT, {"height": "5"}, "checkpoint.height"),
        (CHECKPOINT, {"hash": "0x01"}, "checkpoint.hash"),
        (CHECKPOINT, {"time": "yesterday"}, "checkpoint.time"),
        (CHECKPOINT, {"trusting_period_s": 0}, "checkpoint.trusting_period_s"),
        (CHECKPOINT, {"clients": {"../x": "1"}}, "checkpoint.clients"),
        (CHECKPOINT, {"clients": {"client-0": "hutong-1"}}, "checkpoint.clients.client-0"),
        (
            CHECKPOINT,
            {"clients": {"client-0": {"chain_id": 1, "client_id": ""}}},
            "checkpoint.clients.client-0.chain_id",
        ),
        (CHECKPOINT, {"router_address": None}, "checkpoint.router_address"),
        (CHECKPOINT, {"validators": []}, "checkpoint.validators"),
        (CHECKPOINT, {"header": 7}, "checkpoint.header"),
        (HUB, {"chain_id": "hutong-99999999999999999999"}, "chain_id"),
        (HUB, {"trust_level": "1/4"}, "checkpoint.trust_level"),
        (HUB, {"proof_specs": ["smt", "smt"]}, "checkpoint.proof_specs"),
        (HUB, {"proof_specs": ["mine"]}, "checkpoint.proof_specs"),
        (HUB, {"router_address": "0x"}, "checkpoint.router_address"),
        (ATTESTED, {"required_signatures": 1}, "checkpoint.required_signatures"),
        (ATTESTED, {"attestors": ["0x" + "01" * 20] * 2}, "checkpoint.attestors"),
        (ATTESTED, {"destinations": [{}]}, "checkpoint.destinations[0].chain_id"),
    ],
)
def test_damage_names_its_field(checkpoint, changes, field):
    document = json.loads(encode_checkpoint(checkpoint)) | changes
    with pytest.raises(MalformedInput) as caught:
        decode_checkpoint(json.dumps(document).encode())
    assert caught.value.field == field


def test_only_the_header_may_be_missing():
    document = json.loads(encode_checkpoint(HUB))
    for name in document:
        rest = {key: value for key, value in document.items() if key != name}
        if name == "header":
            assert decode_checkpoint(json.dumps(rest).encode()) == replace(HUB, header=None)
        else:
            with pytest.raises(MalformedInput) as caught:
                decode_checkpoint(json.dumps(rest).encode())
            assert caught.value.field == f"checkpoint.{name}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from([CHECKPOINT, HUB, ATTESTED]), st.data())
def test_attack_H_any_value_of_a_field_is_read_or_refused_by_name(checkpoint, data):
    document = json.loads(encode_checkpoint(checkpoint))
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(JSON)
    try:
        read = decode_checkpoint(json.dumps(document).encode())
    except MalformedInput:
        return
    assert decode_checkpoint(encode_checkpoint(read)) == read


def ethereum_checkpoint() -> Checkpoint:
    chain = SimulatedBeacon()
    block = chain.blocks[chain.slot]
    client = chain.client(chain.slot)
    return Checkpoint(
        chain_id=str(client.chain_id),
        kind=ChainKind.ETHEREUM,
        height=chain.slot,
        hash=block.root,
        time_ns=block.header.execution.timestamp_s * 10**9,
        trusting_period_s=client.trusting_period_s,
        max_clock_drift_s=client.max_clock_drift_s,
        clients={"client-0": Remote("hutong-1", "ethereum-0")},
        trust=EthereumTrust(chain.client_state(chain.slot), chain.consensus_state(chain.slot)),
    )


def test_ethereum_checkpoint_says_what_its_states_say():
    checkpoint = ethereum_checkpoint()
    assert decode_checkpoint(encode_checkpoint(checkpoint)) == checkpoint
    for changed in (
        {"chain_id": "7"},
        {"height": checkpoint.height + 1},
        {"hash": b"\x07" * 32},
        {"time_ns": checkpoint.time_ns + 10**9},
        {"trusting_period_s": 10**6},
        {"max_clock_drift_s": 1},
    ):
        (name,) = changed
        with pytest.raises(MalformedInput) as caught:
            decode_checkpoint(encode_checkpoint(replace(checkpoint, **changed)))
        assert caught.value.field == f"checkpoint.{name.removesuffix('_ns')}"


@given(st.sampled_from(["client_state", "consensus_state"]), st.integers(0, 400), st.binary(max_size=3))
def test_damaged_ethereum_states_are_refused(name, at, put):
    trust = ethereum_checkpoint().trust
    state = getattr(trust, name)
    damaged = state[:at] + put + state[at + len(put) + 1 :]
    if damaged == state:
        return
    try:
        read = decode_checkpoint(
            encode_checkpoint(replace(ethereum_checkpoint(), trust=replace(trust, **{name: damaged})))
        )
    except MalformedInput:
        return
    assert getattr(read.trust, name) == damaged
