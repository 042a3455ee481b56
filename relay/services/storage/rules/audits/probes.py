"""Which leaf a probe asks for: drawn over all leaves of the set alike, whatever the sizes of shards (docs/spec/storage-audits.md)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.records.encoding import check_bytes
from hutong.relay.services.storage.rules.audits.seed import SPEC
from hutong.relay.services.storage.rules.commitments.entries import OperatorSet

PROBE_DOMAIN: Final = b"hutong/storage/probe/1"
MAX_PROBES: Final = 4_096
"""Of one operator in one epoch: 2 528 find a hundredth in 99 of 100 cases after 2^30 tries of a colluding proposer."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an operator is asked in an epoch: leaves of its set as it stood some blocks before the seed.

    `seed` is that of the epoch and holds hub and epoch, `operator` the operator's id on the hub, both 32 bytes. The operator
    chooses neither number nor order of the probes, nor its set.
    """

    seed: bytes
    operator: bytes
    operator_set: OperatorSet
    probes: int

    def __post_init__(self) -> None:
        check_bytes("challenge.seed", self.seed)
        check_bytes("challenge.operator", self.operator)


@rule(SPEC)
def probe_is_asked(challenge: Challenge, number: int) -> None:
    """The challenge has a probe of this number; numbers begin at 0.

    Raises:
        PredicateFailed: it has not, or the challenge has more probes than there may be.
    """
    if not 0 <= number < challenge.probes <= MAX_PROBES:
        raise PredicateFailed("probe_is_asked", "no such probe", got=number, expected=f"< {challenge.probes}")


def probe_leaf(challenge: Challenge, number: int) -> int:
    """The leaf of the set that probe `number` asks for; two probes may ask for the same.

    Raises:
        PredicateFailed: see `probe_is_asked`.
    """
    probe_is_asked(challenge, number)
    drawn = sha256(
        PROBE_DOMAIN + challenge.seed + challenge.operator + challenge.operator_set.root + number.to_bytes(4, "big")
    )
    # 256 bits over at most 2^56 leaves: the lower leaves are more likely by less than one in 2^200.
    return int.from_bytes(drawn, "big") % challenge.operator_set.leaves
