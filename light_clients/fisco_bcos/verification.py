"""The rules in their order: what makes a sealed header believed, from a trusted state or by its own list alone.

Cheap rules come before signatures.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from light_clients.fisco_bcos import predicates
from light_clients.fisco_bcos.types import CryptoSuite, Generation, Header, Sealer, TrustedState
from light_clients.interface import Check

SPEC = "docs/spec/fisco-bcos-client.md"
PBFT = "FISCO-BCOS PBFT, check of a block's signature list"


@dataclass(frozen=True, slots=True)
class Options:
    """Which chain it is, and how far trust reaches, in seconds."""

    generation: Generation
    crypto_suite: CryptoSuite
    trusting_period_s: int
    max_clock_drift_s: int


@dataclass(slots=True)
class Signers:
    """Who signed the header: found once, by the rule that judges the signatures, and weighed by those behind it."""

    crypto_suite: CryptoSuite
    header: Header
    sealers: frozenset[Sealer] = field(default_factory=frozenset)

    def find(self) -> None:
        self.sealers = predicates.signers_of(self.crypto_suite, self.header)


def seal_checks(header: Header, signers: Signers) -> Iterator[Check]:
    """The header's own sealers signed it. Says nothing about whether that list is to be believed."""
    yield Check("sealers_are_listed", PBFT, partial(predicates.sealers_are_listed, header))
    yield Check("signatures_of_sealers", PBFT, signers.find)
    yield Check("quorum_of_own_sealers", PBFT, lambda: predicates.quorum_of_own_sealers(header, signers.sealers))


def update_checks(header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    """The header is believed because of a lower, trusted state. `TooLittleOverlap` asks for a nearer header."""
    yield from _standing_checks(header, trusted, options, now_ns)
    yield Check(
        "time_does_not_decrease",
        SPEC,
        partial(predicates.time_does_not_decrease, header, trusted.timestamp_ms, options.max_clock_drift_s),
    )
    yield Check(
        "header_not_from_future",
        SPEC,
        partial(predicates.header_not_from_future, header.block.timestamp_ms, options.max_clock_drift_s, now_ns),
    )
    yield from _vouching_checks(header, trusted, options)


def evidence_checks(header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    """As `update_checks`, whatever the header says of the time: who signs two blocks at a height does not get away with
    a date that no update could have."""
    yield from _standing_checks(header, trusted, options, now_ns)
    yield from _vouching_checks(header, trusted, options)


def _standing_checks(header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    yield Check(
        "within_trusting_period",
        SPEC,
        partial(predicates.within_trusting_period, trusted.timestamp_ms, options.trusting_period_s, now_ns),
    )
    yield Check("height_increases", SPEC, partial(predicates.height_increases, header.height, trusted.height))


def _vouching_checks(header: Header, trusted: TrustedState, options: Options) -> Iterator[Check]:
    signers = Signers(options.crypto_suite, header)
    yield from seal_checks(header, signers)
    yield Check(
        "overlap_with_trusted_sealers",
        SPEC,
        lambda: predicates.overlap_with_trusted_sealers(signers.sealers, trusted.sealers),
    )
    if options.generation is Generation.V3:
        yield Check(
            "sealers_are_the_trusted_ones",
            SPEC,
            partial(predicates.sealers_are_the_trusted_ones, header, trusted.sealers),
        )
