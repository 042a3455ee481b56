"""Light clients as their host chain stores them."""

from dataclasses import dataclass

from hutong.light_clients.interface import ClientStatus, Height


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """A light client on this chain. `client_state` is in the encoding of the Python light client of `client_type`.

    `latest_timestamp_ns` is the counterparty's block time at `latest_height`.
    `counterparty_client_id` is None until a counterparty is registered; `merkle_prefix` is then the counterparty's.
    """

    client_id: str
    client_type: str
    status: ClientStatus
    latest_height: Height
    latest_timestamp_ns: int
    trusting_period_ns: int
    counterparty_client_id: str | None
    merkle_prefix: tuple[bytes, ...]
    client_state: bytes


@dataclass(frozen=True, slots=True)
class AttestedBy:
    """Whom a new `attestation` client believes, and which client it will be: attestors sign for that one alone."""

    attestors: tuple[bytes, ...]
    threshold: int
    destination_chain_id: str
    destination_router: bytes
    destination_client_id: str


@dataclass(frozen=True, slots=True)
class ClientParameters:
    """What the creator of a client chooses; everything else is read from the chain that it will follow.

    `unbonding_period_s` is for how long a removed validator of a hub stays accountable (a genesis parameter of it);
    other client types have none. `attested_by` is for `attestation` clients alone, and needed there.
    `trusted_block_root` and `min_participants` are for `ethereum` clients alone: the root (32 bytes) of a finalized
    beacon block from where the client begins (None: the newest that the chain's endpoints name), and how many of a
    committee must sign (None: two thirds). `begin_height` is of the final block from where the client begins (None: the
    newest); `ethereum` and `attestation` clients take none.
    """

    trusting_period_s: int
    max_clock_drift_s: int
    unbonding_period_s: int = 21 * 86_400
    attested_by: AttestedBy | None = None
    trusted_block_root: bytes | None = None
    min_participants: int | None = None
    begin_height: int | None = None


@dataclass(frozen=True, slots=True)
class InitialStates:
    """Both states of a new client of this chain, in the encoding of the Python light client of `client_type`.

    `block_hash` is of the block at `height`, computed from the header that the states were read from (of an `ethereum`
    client the beacon block's root; of an `attestation` client the endpoint's word): who trusts the client trusts this
    block.
    """

    client_type: str
    height: Height
    client_state: bytes
    consensus_state: bytes
    block_hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the chain stores under a path, with its proof. `value` None: a proof of absence.

    `height` is the height of the consensus state under which the proof verifies.
    """

    path: tuple[bytes, ...]
    height: Height
    value: bytes | None
    proof: bytes
