"""What a network's preset and fork schedule say: periods, signing domains, generalized indices.

Sources: consensus-specs `specs/phase0/beacon-chain.md` (domains), `specs/*/light-client/sync-protocol.md` (indices).
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.proofs.ssz import container_root

DOMAIN_SYNC_COMMITTEE = bytes.fromhex("07000000")
GENESIS_SLOT = 0
MIN_COMMITTEE_SIZE = 8
MAX_COMMITTEE_SIZE = 512
"""The mainnet preset's; a larger committee would not fit the bounds of headers."""
MAX_PERIOD_SLOTS = 2**20
MAX_SECONDS_PER_SLOT = 3_600
MAX_GENESIS_TIME_S = 2**40
EXECUTION_PAYLOAD_GINDEX = 25
"""`execution_payload` in a BeaconBlockBody, Bellatrix through Fulu."""


class Fork(IntEnum):
    """Upgrades of the consensus layer, in order."""

    PHASE0 = 0
    ALTAIR = 1
    BELLATRIX = 2
    CAPELLA = 3
    DENEB = 4
    ELECTRA = 5
    FULU = 6
    GLOAS = 7
    """Known by name only: its light client headers prove a block hash and no payload header; not offered yet."""


NEWEST_FORK = Fork.FULU
NEWEST_OFFERED = (
    f"the newest fork whose headers are verified is {NEWEST_FORK.name}: such a chain is followed through attestors"
)


@dataclass(frozen=True, slots=True)
class StateIndices:
    """Generalized indices in a BeaconState; their tree grew by a level in Electra."""

    finalized_root: int
    current_sync_committee: int
    next_sync_committee: int


ALTAIR_INDICES = StateIndices(105, 54, 55)
ELECTRA_INDICES = StateIndices(169, 86, 87)


def state_indices(fork: Fork) -> StateIndices:
    """Where finality and committees stand in a BeaconState under the rules of `fork`."""
    return ELECTRA_INDICES if fork >= Fork.ELECTRA else ALTAIR_INDICES


@dataclass(frozen=True, slots=True)
class Preset:
    """Compile-time constants of a network."""

    slots_per_epoch: int
    epochs_per_sync_committee_period: int
    sync_committee_size: int

    def __post_init__(self) -> None:
        size = self.sync_committee_size
        if not MIN_COMMITTEE_SIZE <= size <= MAX_COMMITTEE_SIZE or size & (size - 1):
            raise MalformedInput(
                "preset.sync_committee_size",
                f"must be a power of two of {MIN_COMMITTEE_SIZE} to {MAX_COMMITTEE_SIZE}",
                size,
            )
        if min(self.slots_per_epoch, self.epochs_per_sync_committee_period) < 1 or self.period_slots > MAX_PERIOD_SLOTS:
            raise MalformedInput("preset", f"a period has 1 to {MAX_PERIOD_SLOTS} slots", got=self.period_slots)

    @property
    def period_slots(self) -> int:
        """Slots for which one sync committee signs: 8 192 on mainnet."""
        return self.slots_per_epoch * self.epochs_per_sync_committee_period


@dataclass(frozen=True, slots=True)
class ForkActivation:
    """From `epoch` on, `fork` rules and signatures carry `version` (4 bytes)."""

    fork: Fork
    version: bytes
    epoch: int

    def __post_init__(self) -> None:
        if len(self.version) != 4:
            raise MalformedInput("forks.version", "must be 4 bytes", got=self.version)
        if not 0 <= self.epoch <= MAX_UINT64:
            raise MalformedInput("forks.epoch", "not a uint64", got=self.epoch)


@dataclass(frozen=True, slots=True)
class Network:
    """A beacon chain as its light client must know it. `forks` ascend; the first rules from epoch 0."""

    preset: Preset
    genesis_validators_root: bytes
    genesis_time_s: int
    seconds_per_slot: int
    forks: tuple[ForkActivation, ...]

    def __post_init__(self) -> None:
        if len(self.genesis_validators_root) != 32 or not any(self.genesis_validators_root):
            raise MalformedInput(
                "network.genesis_validators_root", "must be 32 bytes, not zero", got=self.genesis_validators_root
            )
        if not 0 <= self.genesis_time_s <= MAX_GENESIS_TIME_S:
            raise MalformedInput("network.genesis_time_s", f"must be 0 to {MAX_GENESIS_TIME_S}", self.genesis_time_s)
        if not 1 <= self.seconds_per_slot <= MAX_SECONDS_PER_SLOT:
            raise MalformedInput(
                "network.seconds_per_slot", f"must be 1 to {MAX_SECONDS_PER_SLOT}", self.seconds_per_slot
            )
        if not self.forks or self.forks[0].epoch != 0:
            raise MalformedInput("network.forks", "must begin with the fork that rules from epoch 0")
        for earlier, later in pairwise(self.forks):
            if earlier.fork >= later.fork or earlier.epoch > later.epoch:
                raise MalformedInput(
                    "network.forks", "must ascend by fork and epoch", later.fork.name, earlier.fork.name
                )

    def epoch_at(self, slot: int) -> int:
        """The epoch of `slot`, by which forks are scheduled."""
        return slot // self.preset.slots_per_epoch

    def period_at(self, slot: int) -> int:
        """The sync committee period of `slot`."""
        return slot // self.preset.period_slots

    def activation_at(self, slot: int) -> ForkActivation:
        """The fork that rules at `slot`, offered or not; the last scheduled one has no end."""
        epoch = self.epoch_at(slot)
        return next(activation for activation in reversed(self.forks) if activation.epoch <= epoch)

    def agrees_until(self, slot: int, other: "Network") -> bool:
        """The same chain with the same rules through the epoch of `slot`. Later forks may differ: they are announced,
        postponed and called off."""
        epoch = self.epoch_at(slot)

        def ruled(network: Network) -> Network:
            return replace(network, forks=tuple(fork for fork in network.forks if fork.epoch <= epoch))

        return ruled(self) == ruled(other)

    def fork_at(self, slot: int) -> Fork:
        """The rules of a header at `slot`.

        Raises:
            UnsupportedOperation: they are not offered; it says since which epoch they rule.
        """
        fork = self.activation_at(slot).fork
        if fork > NEWEST_FORK:
            raise UnsupportedOperation(f"light client headers of {fork.name}", self._since(self.activation_at(slot)))
        return fork

    @property
    def unsupported_from(self) -> ForkActivation | None:
        """The first scheduled fork whose headers are not offered, for warnings; None where the schedule has none."""
        return next((activation for activation in self.forks if activation.fork > NEWEST_FORK), None)

    def epoch_time_s(self, epoch: int) -> int:
        """When the first slot of `epoch` begins, Unix seconds."""
        return self.slot_time_s(epoch * self.preset.slots_per_epoch)

    def _since(self, activation: ForkActivation) -> str:
        return f"it rules from epoch {activation.epoch} on, and {NEWEST_OFFERED}"

    def indices_at(self, slot: int) -> StateIndices:
        """Where finality and committees stand in the state of `slot`.

        Raises:
            UnsupportedOperation: the fork that rules there is not offered.
        """
        return state_indices(self.fork_at(slot))

    def sync_committee_domain(self, signature_slot: int) -> bytes:
        """What a committee signs under at `signature_slot`: it signs an earlier block, hence the slot before.

        32 bytes. Forks that are not offered have a domain too: whoever reads the header refuses them.
        """
        return sync_committee_domain(
            self.activation_at(max(signature_slot, 1) - 1).version, self.genesis_validators_root
        )

    def slot_before_ns(self, time_ns: int) -> int:
        """The newest slot that begins earlier than `time_ns`; -1 where none does."""
        return (time_ns - 1 - self.genesis_time_s * 10**9) // (self.seconds_per_slot * 10**9)

    def slot_time_s(self, slot: int) -> int:
        """When `slot` begins, Unix seconds."""
        return self.genesis_time_s + slot * self.seconds_per_slot

    def fork_of_digest(self, digest: bytes) -> Fork:
        """The fork whose containers follow a 4-byte fork digest of the Beacon API or gossip.

        From Fulu on a digest also covers blob parameters; containers are those of Electra, so every other one means
        these. A digest of another network is therefore not refused here.
        """
        for activation in self.forks:
            if activation.fork < Fork.FULU and digest == self.fork_digest(activation):
                return activation.fork
        return NEWEST_FORK

    def fork_digest(self, activation: ForkActivation) -> bytes:
        """compute_fork_digest of the forks before Fulu, 4 bytes."""
        return fork_data_root(activation.version, self.genesis_validators_root)[:4]


def fork_data_root(version: bytes, genesis_validators_root: bytes) -> bytes:
    """compute_fork_data_root: binds a fork's version (4 bytes) to one chain; 32 bytes."""
    return container_root([version.ljust(32, b"\0"), genesis_validators_root])


def sync_committee_domain(version: bytes, genesis_validators_root: bytes) -> bytes:
    """compute_domain(DOMAIN_SYNC_COMMITTEE, …), 32 bytes."""
    return DOMAIN_SYNC_COMMITTEE + fork_data_root(version, genesis_validators_root)[:28]


def signing_root(object_root: bytes, domain: bytes) -> bytes:
    """compute_signing_root: the message of a signature, 32 bytes, from a container's root and a domain of 32 bytes."""
    return container_root([object_root, domain])
