"""What stands under `storage/parameters`: what a hub's governance says of trusted storage as a whole (docs/spec/storage-records.md)."""

from dataclasses import astuple, dataclass
from typing import Final

from hutong.relay.services.identity.rules.records.encoding import check_number, decode_value, encode_value
from hutong.relay.services.storage.rules.audits.probes import MAX_PROBES
from hutong.relay.services.storage.rules.packs.shape import PackShape

STRUCT: Final = "(uint64,uint32,uint64,uint64,uint32,uint32,uint32,uint8,uint8,uint64)"
MIN_EPOCH_S: Final = 10
MAX_EPOCH_S: Final = 31_536_000
MAX_CUT_BLOCKS: Final = 100_000
MAX_WINDOW_S: Final = 86_400
MAX_FULL_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of epochs, of how much each asks, and of the code that packs are stored with."""

    epoch_s: int = 86_400
    """An epoch begins at the first block that is so much later than the beginning of the one before, when that is closed."""
    cut_blocks: int = 16
    """From the block at which sets are cut to the header that the seed holds; auditors commit up to it."""
    reveal_s: int = 300
    """For which secrets are taken after that header."""
    deadline_s: int = 300
    """For which answers are taken after the seed is drawn."""
    probes: int = 64
    full_probes: int = 459
    """In the place of `probes`, in each epoch whose number `full_every` divides; 459 find a hundredth with 99 %."""
    full_every: int = 7
    data: int = 10
    parity: int = 4
    """No organisation and no site holds more shards of a pack than there are parity shards."""
    price: int = 0
    """What a TiB that was held and proven for an epoch counts in the ledger, in units of the members' choice."""

    def __post_init__(self) -> None:
        check_number("storage.epoch_s", self.epoch_s, least=MIN_EPOCH_S, most=MAX_EPOCH_S)
        check_number("storage.cut_blocks", self.cut_blocks, least=1, most=MAX_CUT_BLOCKS)
        check_number("storage.reveal_s", self.reveal_s, least=1, most=MAX_WINDOW_S)
        check_number("storage.deadline_s", self.deadline_s, least=1, most=MAX_WINDOW_S)
        check_number("storage.probes", self.probes, least=1, most=MAX_PROBES)
        check_number("storage.full_probes", self.full_probes, least=1, most=MAX_PROBES)
        check_number("storage.full_every", self.full_every, least=1, most=MAX_FULL_EVERY)
        PackShape(self.data, self.parity, 0)
        check_number("storage.price", self.price)

    def probes_of(self, epoch: int) -> int:
        """How many are asked of each operator in an epoch."""
        return self.probes if epoch % self.full_every else self.full_probes


DEFAULTS: Final = Parameters()


def parameter_values(parameters: Parameters) -> tuple[int, ...]:
    """The members in the order of `STRUCT`."""
    return astuple(parameters)


def encode_parameters(parameters: Parameters) -> bytes:
    """Inverse of `decode_parameters`."""
    return encode_value(STRUCT, parameter_values(parameters))


def decode_parameters(data: bytes) -> Parameters:
    """What governance says of the module.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its bounds.
    """
    return Parameters(*decode_value(STRUCT, data, "storage"))
