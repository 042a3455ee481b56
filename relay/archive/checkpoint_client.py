"""The state of a light client that began at a checkpoint: what a chain's adapter is asked for headers with."""

from hutong.light_clients import bft_evm
from hutong.light_clients.attestation import ClientState as AttestationClientState
from hutong.light_clients.attestation import Scope
from hutong.light_clients.attestation import encode_client_state as encode_attestation_client
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, UnsupportedOperation
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.types import ClientState, revision_of
from hutong.relay.archive.checkpoint import (
    AttestationTrust,
    BftEvmTrust,
    Checkpoint,
    EthereumTrust,
    FollowedTrust,
    TendermintTrust,
)


def client_state_of(checkpoint: Checkpoint) -> bytes:
    """Encoded as the light client of the checkpoint's kind encodes it, at the checkpoint's height.

    Of an attested chain it is that of the first client that the attestors sign for.

    Raises:
        UnsupportedOperation: an attested chain whose checkpoint names no client.
        MalformedInput: the checkpoint's members make no client.
    """
    match checkpoint.trust:
        case TendermintTrust() as trust:
            return _tendermint(checkpoint, trust)
        case BftEvmTrust() as trust:
            return bft_evm.encode_client_state(
                bft_evm.ClientState(
                    chain_id=int(checkpoint.chain_id),
                    consensus=trust.consensus,
                    quorum_rule=trust.quorum_rule,
                    router_address=trust.router_address,
                    trusting_period_s=checkpoint.trusting_period_s,
                    max_clock_drift_s=checkpoint.max_clock_drift_s,
                    latest_height=Height(0, checkpoint.height),
                )
            )
        case EthereumTrust(client_state, _) | FollowedTrust(client_state, _):
            return client_state
        case AttestationTrust() as trust:
            return _attested(checkpoint, trust)


def _tendermint(checkpoint: Checkpoint, trust: TendermintTrust) -> bytes:
    period_ns = checkpoint.trusting_period_s * NANOSECONDS_PER_SECOND
    return codec.encode_client_state(
        ClientState(
            chain_id=checkpoint.chain_id,
            trust_level=trust.trust_level,
            trusting_period_ns=period_ns,
            unbonding_period_ns=period_ns + 1,  # a checkpoint does not say it, and no header is asked for by it
            max_clock_drift_ns=checkpoint.max_clock_drift_s * NANOSECONDS_PER_SECOND,
            frozen_height=Height(0, 0),
            latest_height=Height(revision_of(checkpoint.chain_id), checkpoint.height),
            proof_specs=trust.specs,
            upgrade_path=(),
        )
    )


def _attested(checkpoint: Checkpoint, trust: AttestationTrust) -> bytes:
    if not trust.destinations:
        raise UnsupportedOperation("records of an attested chain whose checkpoint names no client")
    first = trust.destinations[0]
    return encode_attestation_client(
        AttestationClientState(
            Scope(checkpoint.chain_id, trust.router_address, first.chain_id, first.router_address, first.client_id),
            trust.attestors,
            trust.required_signatures,
            checkpoint.trusting_period_s,
            checkpoint.max_clock_drift_s,
            checkpoint.height,
        )
    )
