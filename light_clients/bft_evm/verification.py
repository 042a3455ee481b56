"""The rules in their order: what makes a sealed header believed, from a trusted state or by its own list alone.

Cheap rules come before signatures.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from light_clients.bft_evm import predicates
from light_clients.bft_evm.types import Header, TrustedState
from light_clients.interface import Check

SPEC = "docs/spec/bft-evm-client.md"
BESU_RULES = "besu QbftBlockHeaderValidationRulesetFactory"
BESU_SEALS = "besu BftCommitSealsValidationRule"


@dataclass(frozen=True, slots=True)
class Options:
    """How far trust reaches, in seconds."""

    trusting_period_s: int
    max_clock_drift_s: int


@dataclass(slots=True)
class Committers:
    """Who sealed the header: recovered once, by the rule that judges the seals, and counted by those behind it."""

    header: Header
    addresses: frozenset[bytes] = field(default_factory=frozenset)

    def recover(self) -> None:
        self.addresses = predicates.recover_committers(self.header)


def seal_checks(header: Header, committers: Committers) -> Iterator[Check]:
    """The header's own validators sealed it. Says nothing about whether that list is to be believed."""
    yield Check("qbft_constant_fields", BESU_RULES, partial(predicates.qbft_constant_fields, header))
    yield Check("validators_are_listed", SPEC, partial(predicates.validators_are_listed, header))
    yield Check("commit_seals_of_validators", BESU_SEALS, committers.recover)
    yield Check(
        "quorum_of_own_validators",
        BESU_SEALS,
        lambda: predicates.quorum_of_own_validators(header, committers.addresses),
    )


def update_checks(header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    """The header is believed because of a lower, trusted state. The last rule raises `TooLittleOverlap`."""
    yield from _standing_checks(header, trusted, options, now_ns)
    yield Check("time_does_not_decrease", SPEC, partial(predicates.time_does_not_decrease, header, trusted.timestamp_s))
    yield Check(
        "header_not_from_future",
        SPEC,
        partial(predicates.header_not_from_future, header.execution.timestamp_s, options.max_clock_drift_s, now_ns),
    )
    yield from _vouching_checks(header, trusted)


def evidence_checks(header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    """As `update_checks`, whatever the header says of the time: who seals two blocks at a height does not get away with
    a date that no update could have."""
    yield from _standing_checks(header, trusted, options, now_ns)
    yield from _vouching_checks(header, trusted)


def _standing_checks(header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    yield Check(
        "within_trusting_period",
        SPEC,
        partial(predicates.within_trusting_period, trusted.timestamp_s, options.trusting_period_s, now_ns),
    )
    yield Check("height_increases", SPEC, partial(predicates.height_increases, header.height, trusted.height))


def _vouching_checks(header: Header, trusted: TrustedState) -> Iterator[Check]:
    committers = Committers(header)
    yield from seal_checks(header, committers)
    yield Check(
        "overlap_with_trusted_validators",
        SPEC,
        lambda: predicates.overlap_with_trusted_validators(committers.addresses, trusted.validators),
    )
