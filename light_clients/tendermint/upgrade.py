"""Client upgrades: a chain commits, before its last block of a revision, what its next revision is (ibc-go v10 07-tendermint/upgrade.go).

The two states stand under the client's own upgrade path, at the height of that last block, and are proven at the client's
latest height: a plan may be changed or withdrawn until then. Nobody vouches for an upgrade but the chain itself.
"""

from dataclasses import replace

from google.protobuf.any_pb2 import Any

from hutong.light_clients.interface import Height, Judge, PredicateFailed, rule
from hutong.light_clients.proofs import ics23
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state
from hutong.light_clients.tendermint.types import ClientState, ConsensusState, TrustLevel, Upgrade

UPGRADE = "ibc-go 07-tendermint/upgrade.go"
CLIENT_STATE_TYPE = "/ibc.lightclients.tendermint.v1.ClientState"
CONSENSUS_STATE_TYPE = "/ibc.lightclients.tendermint.v1.ConsensusState"
UPGRADED_CLIENT = "upgradedClient"
UPGRADED_CONSENSUS_STATE = "upgradedConsState"
"""cosmos-sdk x/upgrade/types/keys.go."""
SENTINEL_ROOT = b"sentinel_root"
"""In place of a root that nobody can know yet: it has no hash's length, so no proof ends in it (07-tendermint/tendermint.go)."""


def upgraded_path(client: ClientState, item: str) -> tuple[bytes, ...]:
    """`<upgrade path>/<last height>/<item>`: all but its first elements are one key of the upgrade store.

    `item` is `UPGRADED_CLIENT` or `UPGRADED_CONSENSUS_STATE`; the height is the client's latest, without its revision.

    Raises:
        ValueError: the client has no upgrade path: `upgrade_path_present` is judged first.
    """
    *stores, key = client.upgrade_path
    return (*(store.encode() for store in stores), f"{key}/{client.latest_height.revision_height}/{item}".encode())


def without_custom_fields(state: ClientState) -> ClientState:
    """What the chain commits: the fields that each client chooses are zero (ZeroCustomFields)."""
    return replace(
        state,
        trust_level=TrustLevel(0, 0),
        trusting_period_ns=0,
        max_clock_drift_ns=0,
        frozen_height=Height(0, 0),
        allow_update_after_expiry=False,
        allow_update_after_misbehaviour=False,
    )


def committed_client(state: ClientState) -> bytes:
    """The value under `upgradedClient`: an Any of the client state without the fields that each client chooses."""
    encoded = encode_client_state(without_custom_fields(state))
    return Any(type_url=CLIENT_STATE_TYPE, value=encoded).SerializeToString(deterministic=True)


def committed_consensus(state: ConsensusState) -> bytes:
    """The value under `upgradedConsState`: an Any of the consensus state as it was given."""
    encoded = encode_consensus_state(state)
    return Any(type_url=CONSENSUS_STATE_TYPE, value=encoded).SerializeToString(deterministic=True)


@rule(UPGRADE)
def upgrade_path_present(client: ClientState) -> None:
    """A client without an upgrade path is never upgraded.

    Raises:
        PredicateFailed: it has none.
    """
    if not client.upgrade_path:
        raise PredicateFailed("upgrade_path_present", "the client has no upgrade path")


@rule(UPGRADE)
def revision_increases(client: ClientState, upgraded: ClientState) -> None:
    """The new chain has a higher revision; its height may start anew.

    Within a revision the stand-in would take the height of a real block, whose header would then freeze the client.

    Raises:
        PredicateFailed: the same revision or a lower one.
    """
    got, expected = upgraded.latest_height, client.latest_height
    if got.revision_number <= expected.revision_number:
        raise PredicateFailed(
            "revision_increases", "the upgraded client is of no later revision", got, f"> {expected.revision_number}-…"
        )


def judge_commitments(judge: Judge, client: ClientState, last: ConsensusState, upgrade: Upgrade) -> None:
    """Every rule in order; `last` is the state at the client's latest height. The new states have rules of their own.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold, of the client's proof first.
        UnsupportedOperation: a proof asks for a hash or length op that is not offered.
    """
    judge(upgrade_path_present, client)
    judge(revision_increases, client, upgrade.client_state)
    for label, proof, item, value in (
        ("client.", upgrade.client_proof, UPGRADED_CLIENT, committed_client(upgrade.client_state)),
        (
            "consensus.",
            upgrade.consensus_proof,
            UPGRADED_CONSENSUS_STATE,
            committed_consensus(upgrade.consensus_state),
        ),
    ):
        path = upgraded_path(client, item)
        ics23.judge_chained(judge.under(label), client.proof_specs, proof, last.root, path, value)


def scaled_trusting_period_ns(client: ClientState, unbonding_period_ns: int) -> int:
    """Shortened in proportion where the unbonding period is, never lengthened.

    Exact and rounded down; the reference computes in floating point and may differ in the last digits.
    """
    if unbonding_period_ns >= client.unbonding_period_ns:
        return client.trusting_period_ns
    return client.trusting_period_ns * unbonding_period_ns // client.unbonding_period_ns


def upgraded_states(client: ClientState, upgrade: Upgrade) -> tuple[ClientState, ConsensusState]:
    """The new chain's parameters with the client's own choices, and the last old block's time and next validators.

    The consensus state's root is `SENTINEL_ROOT`, so that nothing is provable before the first update.
    """
    chosen = upgrade.client_state
    state = ClientState(
        chain_id=chosen.chain_id,
        trust_level=client.trust_level,
        trusting_period_ns=scaled_trusting_period_ns(client, chosen.unbonding_period_ns),
        unbonding_period_ns=chosen.unbonding_period_ns,
        max_clock_drift_ns=client.max_clock_drift_ns,
        frozen_height=Height(0, 0),
        latest_height=chosen.latest_height,
        proof_specs=chosen.proof_specs,
        upgrade_path=chosen.upgrade_path,
    )
    return state, replace(upgrade.consensus_state, root=SENTINEL_ROOT)
