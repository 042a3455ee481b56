"""The rules in their order: what makes a buried block believed from a trusted one. Cheap rules come before signatures."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from light_clients.clique import predicates
from light_clients.clique.snapshot import apply_block
from light_clients.clique.types import ClientState, Header, Snapshot, TrustedState
from light_clients.evm_header import rules as evm
from light_clients.interface import Check

SPEC = "docs/spec/clique-options.md"
EIP225 = "EIP-225; go-ethereum consensus/clique"


@dataclass(frozen=True, slots=True)
class Options:
    """The chain's parameters, how far trust reaches in seconds, and how deep a block must be buried."""

    period_s: int
    epoch_length: int
    confirmations: int
    trusting_period_s: int
    max_clock_drift_s: int


def options_of(client: ClientState) -> Options:
    return Options(
        client.period_s,
        client.epoch_length,
        client.confirmations,
        client.trusting_period_s,
        client.max_clock_drift_s,
    )


@dataclass(slots=True)
class Branch:
    """A branch walked from a trusted snapshot: who sealed each block, and what the believed block leaves behind."""

    header: Header
    sealers: list[bytes] = field(default_factory=list)
    snapshot: Snapshot | None = None
    weights: list[int] = field(default_factory=list)
    """Of each block: the sum of difficulties from the trusted block on, without it."""

    def walk(self, trusted: Snapshot, epoch_length: int) -> None:
        snapshot = trusted
        for block in self.header.blocks:
            signer = predicates.signer_of(snapshot, block)
            snapshot = apply_block(snapshot, block, signer, epoch_length)
            self.weights.append(block.execution.difficulty + (self.weights[-1] if self.weights else 0))
            if block.execution.number >= self.header.number:
                self.sealers.append(signer)
            if block.execution.number == self.header.number:
                self.snapshot = snapshot

    def weight_at(self, number: int) -> int:
        return self.weights[number - self.header.blocks[0].execution.number]

    def buries(self, number: int, confirmations: int) -> bool:
        """Whether the block at `number`, believed or not, has enough blocks and sealers on top: a stale block has not."""
        sealers = self.sealers[max(0, number - self.header.number) :]
        signers = self.believed()
        return (
            self.header.tip.execution.number - number >= confirmations
            and len(set(sealers).intersection(signers.signers)) >= signers.limit
        )

    def believed(self) -> Snapshot:
        if self.snapshot is None:
            raise RuntimeError("a check was run before the one that it stands on")
        return self.snapshot


def update_checks(branch: Branch, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    """The block is believed because of a lower, trusted one."""
    yield from _standing_checks(branch.header, trusted, options, now_ns)
    yield Check("header_not_from_future", SPEC, partial(_not_from_future, branch.header, options, now_ns))
    yield from _branch_checks(branch, trusted, options)


def evidence_checks(branch: Branch, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    """As `update_checks`, however far in the future the branch dates itself."""
    yield from _standing_checks(branch.header, trusted, options, now_ns)
    yield from _branch_checks(branch, trusted, options)


def _standing_checks(header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    yield Check(
        "within_trusting_period",
        SPEC,
        partial(evm.within_trusting_period, trusted.timestamp_s, options.trusting_period_s, now_ns),
    )
    yield Check("height_increases", SPEC, partial(evm.height_increases, header.height, header.trusted_height))
    yield Check("blocks_are_linked", EIP225, partial(predicates.blocks_are_linked, header, trusted))


def _not_from_future(header: Header, options: Options, now_ns: int) -> None:
    """Of the believed block: those on top only have to be late enough."""
    block = header.block_at(header.number)
    if block is not None:
        evm.header_not_from_future(block.execution.timestamp_s, options.max_clock_drift_s, now_ns)


def _branch_checks(branch: Branch, trusted: TrustedState, options: Options) -> Iterator[Check]:
    header = branch.header
    yield Check(
        "clique_constant_fields", EIP225, partial(predicates.clique_constant_fields, header, options.epoch_length)
    )
    yield Check(
        "times_keep_the_period", EIP225, partial(predicates.times_keep_the_period, header, trusted, options.period_s)
    )
    yield Check(
        "buried_by_confirmations", SPEC, partial(predicates.buried_by_confirmations, header, options.confirmations)
    )
    yield Check("signers_may_seal", EIP225, partial(branch.walk, trusted.snapshot, options.epoch_length))
    yield Check(
        "majority_of_signers_sealed",
        SPEC,
        lambda: predicates.majority_of_signers_sealed(branch.sealers, branch.believed()),
    )
