"""The rules in their order: what makes a buried block believed from a trusted one. Cheap rules come before signatures."""

from dataclasses import dataclass

from hutong.light_clients.clique import predicates
from hutong.light_clients.clique.predicates import EIP225
from hutong.light_clients.clique.snapshot import apply_block
from hutong.light_clients.clique.types import ClientState, Header, Snapshot, TrustedState
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Judge, PredicateFailed, rule


@dataclass(frozen=True, slots=True)
class Options:
    """The chain's parameters, how far trust reaches in seconds, and how deep a block must be buried."""

    period_s: int
    epoch_length: int
    confirmations: int
    trusting_period_s: int
    max_clock_drift_s: int


def options_of(client: ClientState) -> Options:
    """The parameters of a client state that branches are judged by; all but the trusting period never change."""
    return Options(
        client.period_s,
        client.epoch_length,
        client.confirmations,
        client.trusting_period_s,
        client.max_clock_drift_s,
    )


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch walked from a trusted block: who sealed each block from the believed one on, and what that one leaves.

    `weights`: of each block the sum of difficulties from the trusted block on, without it.
    """

    header: Header
    trusted: TrustedState
    sealers: tuple[bytes, ...]
    snapshot: Snapshot
    weights: tuple[int, ...]

    def weight_at(self, number: int) -> int:
        """The sum of difficulties from the trusted block's child to the block at `number`, both included.

        `number` must be one of the branch's.
        """
        return self.weights[number - self.header.blocks[0].execution.number]

    def buries(self, number: int, confirmations: int) -> bool:
        """Whether the block at `number`, believed or not, has enough blocks and sealers on top: a stale block does not.

        More than half of the signers after the believed block must have sealed it or one on top.
        """
        sealers = self.sealers[max(0, number - self.header.number) :]
        return (
            self.header.tip.execution.number - number >= confirmations
            and len(set(sealers).intersection(self.snapshot.signers)) >= self.snapshot.limit
        )


@rule(EIP225)
def signers_may_seal(header: Header, trusted: TrustedState, epoch_length: int) -> Branch:
    """Each block is sealed by a signer whose turn it may be, as the votes of the blocks before it have it.

    Raises:
        PredicateFailed: as `predicates.signer_of` and `apply_block`, or the believed block is not in the branch.
    """
    snapshot = trusted.snapshot
    believed: Snapshot | None = None
    sealers: list[bytes] = []
    weights: list[int] = []
    for block in header.blocks:
        signer = predicates.signer_of(snapshot, block)
        snapshot = apply_block(snapshot, block, signer, epoch_length)
        weights.append(block.execution.difficulty + (weights[-1] if weights else 0))
        if block.execution.number >= header.number:
            sealers.append(signer)
        if block.execution.number == header.number:
            believed = snapshot
    if believed is None:
        raise PredicateFailed("blocks_are_linked", "the believed block is not in the branch", got=header.number)
    return Branch(header, trusted, tuple(sealers), believed, tuple(weights))


def judge_update(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Branch:
    """The block is believed because of a lower, trusted one. Times of `trusted` and `options` are seconds.

    Raises:
        ClientExpired: the trusted state is older than the trusting period.
        PredicateFailed: the first other rule that does not hold.
    """
    _judge_standing(judge, header, trusted, options, now_ns)
    judge(predicates.header_not_from_future, header, options.max_clock_drift_s * NANOSECONDS_PER_SECOND, now_ns)
    return _judge_branch(judge, header, trusted, options)


def judge_evidence(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> None:
    """As `judge_update`, however far in the future the branch dates itself.

    Raises:
        ClientExpired, PredicateFailed: as `judge_update`.
    """
    _judge_standing(judge, header, trusted, options, now_ns)
    _judge_branch(judge, header, trusted, options)


def _judge_standing(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> None:
    trusted_ns = trusted.timestamp_s * NANOSECONDS_PER_SECOND
    judge(predicates.within_trusting_period, trusted_ns, options.trusting_period_s * NANOSECONDS_PER_SECOND, now_ns)
    judge(predicates.height_increases, header.height, header.trusted_height)
    judge(predicates.blocks_are_linked, header, trusted)


def _judge_branch(judge: Judge, header: Header, trusted: TrustedState, options: Options) -> Branch:
    judge(predicates.clique_constant_fields, header, options.epoch_length)
    judge(predicates.times_keep_the_period, header, trusted, options.period_s)
    judge(predicates.buried_by_confirmations, header, options.confirmations)
    branch = judge(signers_may_seal, header, trusted, options.epoch_length)
    judge(predicates.majority_of_signers_sealed, branch.sealers, branch.snapshot)
    return branch
