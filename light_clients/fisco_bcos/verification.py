"""The rules in their order: what makes a sealed header believed, from a trusted state or by its own list alone.

Cheap rules come before signatures.
"""

from dataclasses import dataclass

from hutong.light_clients.fisco_bcos import predicates
from hutong.light_clients.fisco_bcos.types import (
    NANOSECONDS_PER_MILLISECOND,
    CryptoSuite,
    Generation,
    Header,
    Sealer,
    TrustedState,
)
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Judge


@dataclass(frozen=True, slots=True)
class Options:
    """Which chain it is, and how far trust reaches, in seconds."""

    generation: Generation
    crypto_suite: CryptoSuite
    trusting_period_s: int
    max_clock_drift_s: int


def judge_seals(judge: Judge, header: Header, crypto_suite: CryptoSuite) -> frozenset[Sealer]:
    """The header's own sealers signed it. Says nothing about whether that list is to be believed. Returns who signed.

    Raises:
        PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge(predicates.sealers_are_listed, header)
    signers = judge(predicates.signatures_of_sealers, crypto_suite, header)
    judge(predicates.quorum_of_own_sealers, header, signers)
    return signers


def judge_update(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> None:
    """The header is believed because of a lower, trusted state.

    Raises:
        TooLittleOverlap: a nearer header may do.
        ClientExpired: the trusted state is older than the trusting period.
        PredicateFailed, UnsupportedOperation: the first other rule that does not hold.
    """
    _judge_standing(judge, header, trusted, options, now_ns)
    judge(predicates.time_does_not_decrease, header, trusted.timestamp_ms, options.max_clock_drift_s)
    drift_ns = options.max_clock_drift_s * NANOSECONDS_PER_SECOND
    judge(predicates.header_not_from_future, header.block.timestamp_ms * NANOSECONDS_PER_MILLISECOND, drift_ns, now_ns)
    _judge_vouching(judge, header, trusted, options)


def judge_evidence(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> None:
    """As `judge_update`, whatever the header says of the time: anyone who signs two blocks at a height does not get
    away with a date that no update could have.

    Raises:
        VerificationError: as `judge_update`.
    """
    _judge_standing(judge, header, trusted, options, now_ns)
    _judge_vouching(judge, header, trusted, options)


def _judge_standing(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> None:
    period_ns = options.trusting_period_s * NANOSECONDS_PER_SECOND
    judge(predicates.within_trusting_period, trusted.timestamp_ms * NANOSECONDS_PER_MILLISECOND, period_ns, now_ns)
    judge(predicates.height_increases, header.height, trusted.height)


def _judge_vouching(judge: Judge, header: Header, trusted: TrustedState, options: Options) -> None:
    signers = judge_seals(judge, header, options.crypto_suite)
    judge(predicates.overlap_with_trusted_sealers, signers, trusted.sealers)
    if options.generation is Generation.V3:
        judge(predicates.sealers_are_the_trusted_ones, header, trusted.sealers)
