"""Values of the sync-committee protocol, the same for every fork, and of the IBC client that stands on it.

Names are those of the consensus specifications. What a container of the specification holds as a default value to say
"nothing" (an empty committee, an empty header) is None here.
"""

from dataclasses import dataclass, replace
from typing import Self

from hutong.light_clients.crypto.bls import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from hutong.light_clients.ethereum.forks import Fork, Network
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

ADDRESS_BYTES = 20
ROOT_BYTES = 32
LOGS_BLOOM_BYTES = 256
MAX_EXTRA_DATA_BYTES = 32


def _uint64(value: int, field: str, least: int = 0) -> None:
    if not least <= value <= MAX_UINT64:
        raise MalformedInput(field, f"must be {least} to {MAX_UINT64}", got=value)


def _root(value: bytes, field: str) -> None:
    if len(value) != ROOT_BYTES or not any(value):
        raise MalformedInput(field, "must be 32 bytes, not zero", got=value)


@dataclass(frozen=True, slots=True)
class BeaconBlockHeader:
    slot: int
    proposer_index: int
    parent_root: bytes
    state_root: bytes
    body_root: bytes


@dataclass(frozen=True, slots=True)
class ExecutionPayloadHeader:
    """The execution block of a beacon block. The blob fields are part of it from Deneb on, before they are zero."""

    parent_hash: bytes
    fee_recipient: bytes
    state_root: bytes
    receipts_root: bytes
    logs_bloom: bytes
    prev_randao: bytes
    block_number: int
    gas_limit: int
    gas_used: int
    timestamp_s: int
    extra_data: bytes
    base_fee_per_gas_wei: int
    block_hash: bytes
    transactions_root: bytes
    withdrawals_root: bytes
    blob_gas_used: int = 0
    excess_blob_gas: int = 0


@dataclass(frozen=True, slots=True)
class LightClientHeader:
    """A beacon header, and from Capella on its execution payload header with the branch into the body root.

    Before Capella there is neither payload nor branch.
    """

    beacon: BeaconBlockHeader
    execution: ExecutionPayloadHeader | None = None
    execution_branch: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncCommittee:
    """`pubkeys` are the members' keys of 48 bytes, one after the other."""

    pubkeys: bytes
    aggregate_pubkey: bytes

    def __post_init__(self) -> None:
        if not self.pubkeys or len(self.pubkeys) % PUBLIC_KEY_BYTES or len(self.aggregate_pubkey) != PUBLIC_KEY_BYTES:
            raise MalformedInput("sync_committee", "keys have 48 bytes", got=len(self.pubkeys))

    @property
    def size(self) -> int:
        """Members, by the length of the keys."""
        return len(self.pubkeys) // PUBLIC_KEY_BYTES


@dataclass(frozen=True, slots=True)
class SyncAggregate:
    """`bits` say who signed, member n in bit n % 8 of byte n // 8."""

    bits: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if len(self.signature) != SIGNATURE_BYTES:
            raise MalformedInput("sync_aggregate.signature", "must be 96 bytes", got=len(self.signature))

    @property
    def size(self) -> int:
        """Members that the bits speak of."""
        return 8 * len(self.bits)

    @property
    def participants(self) -> int:
        """How many bits are set; whether they signed is judged by `signed_by_committee`."""
        return int.from_bytes(self.bits, "little").bit_count()

    def members(self, *, absent: bool = False) -> list[int]:
        """Indices of the members who signed, or who did not, ascending."""
        number = int.from_bytes(self.bits, "little")
        return [index for index in range(self.size) if (number >> index & 1) != absent]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """LightClientBootstrap: a header that is trusted by its root, and the committee of its period."""

    header: LightClientHeader
    current_sync_committee: SyncCommittee
    current_sync_committee_branch: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """LightClientUpdate, and with parts left out LightClientFinalityUpdate and LightClientOptimisticUpdate.

    `next_sync_committee` None: the update brings none. `finality_branch` empty: it shows no finality; with a branch and
    `finalized_header` None it shows that nothing is final yet (the state names a zero root).
    """

    attested_header: LightClientHeader
    sync_aggregate: SyncAggregate
    signature_slot: int
    finalized_header: LightClientHeader | None = None
    finality_branch: tuple[bytes, ...] = ()
    next_sync_committee: SyncCommittee | None = None
    next_sync_committee_branch: tuple[bytes, ...] = ()

    @property
    def attested_slot(self) -> int:
        """The slot of the header that the committee signed, which need not be final."""
        return self.attested_header.beacon.slot

    @property
    def finalized_slot(self) -> int:
        """0 where nothing is shown to be final, as the specification's default header has it."""
        return 0 if self.finalized_header is None else self.finalized_header.beacon.slot


@dataclass(frozen=True, slots=True)
class TrustedCommittees:
    """What the judgement of an update starts from.

    The roots are those of the committees of the finalized header's period and of the next; None: not known yet.
    """

    finalized_slot: int
    current_root: bytes
    next_root: bytes | None

    def __post_init__(self) -> None:
        _uint64(self.finalized_slot, "finalized_slot")
        _root(self.current_root, "current_sync_committee_root")
        if self.next_root is not None:
            _root(self.next_root, "next_sync_committee_root")


@dataclass(frozen=True, slots=True)
class ClientState:
    """Parameters and progress of an `ethereum` client. Heights are slots of finalized beacon headers, revision 0.

    `min_participants` of a committee must have signed, at least two thirds of it. `committees` belong to the period of
    `latest_height`. Only `latest_height`, `committees` and `is_frozen` change; recovery may also change the trusting
    period, and forks that are later than the newest header.
    """

    chain_id: int
    network: Network
    router_address: bytes
    min_participants: int
    trusting_period_s: int
    max_clock_drift_s: int
    committees: TrustedCommittees
    is_frozen: bool = False

    def __post_init__(self) -> None:
        _uint64(self.chain_id, "client_state.chain_id", 1)
        if len(self.router_address) != ADDRESS_BYTES or not any(self.router_address):
            raise MalformedInput("client_state.router_address", "must be 20 bytes, not zero", got=self.router_address)
        size = self.network.preset.sync_committee_size
        if not supermajority(size) <= self.min_participants <= size:
            raise MalformedInput(
                "client_state.min_participants", f"must be {supermajority(size)} to {size}", got=self.min_participants
            )
        _uint64(self.trusting_period_s, "client_state.trusting_period_s", 1)
        _uint64(self.max_clock_drift_s, "client_state.max_clock_drift_s", 1)
        _uint64(self.committees.finalized_slot, "client_state.latest_height", 1)

    @property
    def trusting_period_ns(self) -> int:
        """`trusting_period_s` in the unit of the shared rules."""
        return self.trusting_period_s * NANOSECONDS_PER_SECOND

    @property
    def max_clock_drift_ns(self) -> int:
        """`max_clock_drift_s` in the unit of the shared rules."""
        return self.max_clock_drift_s * NANOSECONDS_PER_SECOND

    @property
    def latest_height(self) -> Height:
        """The slot of the newest finalized header, as a height of revision 0."""
        return Height(0, self.committees.finalized_slot)

    def frozen(self) -> Self:
        """A copy with misbehaviour on record: no header or proof is judged under it any more."""
        return replace(self, is_frozen=True)


def supermajority(size: int) -> int:
    """The least number of members that is two thirds of a committee (process_light_client_update)."""
    return (2 * size + 2) // 3


@dataclass(frozen=True, slots=True)
class ConsensusState:
    """What a finalized header leaves behind.

    `timestamp_s`, `state_root` and `block_number` are those of its execution block, `storage_root` is the router's
    under that state root, `beacon_root` the root of the beacon header itself.
    """

    timestamp_s: int
    storage_root: bytes
    state_root: bytes
    block_number: int
    beacon_root: bytes

    def __post_init__(self) -> None:
        _uint64(self.timestamp_s, "consensus_state.timestamp_s", 1)
        _uint64(self.block_number, "consensus_state.block_number")
        for name in ("storage_root", "state_root", "beacon_root"):
            _root(getattr(self, name), f"consensus_state.{name}")

    @property
    def timestamp_ns(self) -> int:
        """`timestamp_s`, the execution block's whole seconds, in nanoseconds since 1970."""
        return self.timestamp_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Header:
    """An update message: the light client update in the containers of `fork`, the committee that signed it, and the
    router's account proof (RLP nodes, root first) under the finalized execution block; evidence of misbehaviour leaves
    that unread.
    """

    fork: Fork
    update: Update
    sync_committee: SyncCommittee
    account_proof: tuple[bytes, ...] = ()

    @property
    def height(self) -> Height:
        """The slot of the finalized header, of revision 0; 0 where the update shows no finality."""
        return Height(0, self.update.finalized_slot)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Two updates that show different finalized headers of one slot."""

    header_1: Header
    header_2: Header
