"""The kinds of light client that an EVM chain may host, each in both encodings: the contract's and the Python client's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hutong.adapters.evm.submit import header_to_abi, misbehaviour_to_abi, proof_to_abi
from hutong.adapters.ics26.abi import Function
from hutong.light_clients.attestation import AttestationClient, StateAttestation, decode_client_state, encode_state
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, LightClient
from hutong.light_clients.proofs.ics23.specs import SMT_SPEC
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state
from hutong.light_clients.tendermint.types import FROZEN_HEIGHT, ClientState, ConsensusState, TrustLevel

UPGRADE_PATH = ("upgrade",)
"""Of every client of a hub; upgrades are not offered, and HubClient does not store it."""

CLIENT_STATE_TUPLE = "(string,uint64,uint64,uint64,uint64,uint64,(uint64,uint64),bool)"
CONSENSUS_STATE_TUPLE = "(uint64,bytes32,bytes32)"
_STATE_FIELDS = Function("ClientState", (), (CLIENT_STATE_TUPLE,))


@dataclass(frozen=True, slots=True)
class HostedKind:
    """`client_state` and `consensus_state` read what the contract returned; the others encode for it."""

    light_client: LightClient
    client_state: Callable[[bytes], bytes]
    trusting_period_ns: Callable[[bytes], int]
    get_consensus_state: Function
    consensus_state: Callable[[Any], bytes]
    header: Callable[[bytes], bytes]
    misbehaviour: Callable[[bytes], bytes]
    proof: Callable[[bytes, bool], bytes]


def hub_client_state(encoded: bytes) -> ClientState:
    """HubClient's ABI-encoded ClientState as the 07-tendermint client state that it stands for.

    Proof specs and upgrade path, which the contract does not store, are those of every hub.

    Raises:
        BadAnswer: not ABI data of that struct.
    """
    ((chain_id, numerator, denominator, trusting_s, unbonding_s, drift_s, latest, frozen),) = _STATE_FIELDS.decode(
        encoded
    )
    return ClientState(
        chain_id=chain_id,
        trust_level=TrustLevel(numerator, denominator),
        trusting_period_ns=trusting_s * NANOSECONDS_PER_SECOND,
        unbonding_period_ns=unbonding_s * NANOSECONDS_PER_SECOND,
        max_clock_drift_ns=drift_s * NANOSECONDS_PER_SECOND,
        frozen_height=FROZEN_HEIGHT if frozen else Height(0, 0),
        latest_height=Height(*latest),
        proof_specs=(SMT_SPEC,),
        upgrade_path=UPGRADE_PATH,
    )


def _hub_consensus_state(value: Any) -> bytes:
    timestamp_ns, root, next_validators_hash = value
    return encode_consensus_state(ConsensusState(timestamp_ns, root, next_validators_hash))


def _same(data: bytes) -> bytes:
    """An attestation has one form everywhere."""
    return data


def _checked_attestation_state(encoded: bytes) -> bytes:
    decode_client_state(encoded)
    return encoded


def _attested_state(value: Any) -> bytes:
    return encode_state(StateAttestation(*value))


HOSTED_KINDS: Mapping[str, HostedKind] = {
    TendermintClient.client_type: HostedKind(
        TendermintClient(),
        lambda encoded: encode_client_state(hub_client_state(encoded)),
        lambda encoded: hub_client_state(encoded).trusting_period_ns,
        Function("getConsensusState", ("uint64", "uint64"), (CONSENSUS_STATE_TUPLE,)),
        _hub_consensus_state,
        header_to_abi,
        misbehaviour_to_abi,
        proof_to_abi,
    ),
    AttestationClient.client_type: HostedKind(
        AttestationClient(),
        _checked_attestation_state,
        lambda encoded: decode_client_state(encoded).trusting_period_s * NANOSECONDS_PER_SECOND,
        Function("getConsensusState", ("uint64", "uint64"), ("(uint64,uint64)",)),
        _attested_state,
        _same,
        _same,
        lambda proof, _absent: proof,
    ),
}
