"""The rules in their order: what makes a signed header believed, from a trusted state or by its own set alone.

Cheap rules come before hashes, hashes before signatures, trusted signatures before those of a set that the sender chose.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from light_clients.interface import Check
from light_clients.tendermint import predicates
from light_clients.tendermint.types import SignedHeader, TrustLevel, ValidatorSet

LIGHT = "cometbft light/verifier.go"
BLOCK = "cometbft types/block.go"
VALIDATION = "cometbft types/validation.go"
VALIDATOR_SET = "cometbft types/validator_set.go"
UPDATE = "ibc-go 07-tendermint/update.go"


@dataclass(frozen=True, slots=True)
class TrustedState:
    """What is believed already. `time_ns` None: not known, so neither time nor trusting period is judged.

    `announces_next` False: the hash is of the set at `height` itself, so that the next block, too, is judged by overlap.
    """

    height: int
    time_ns: int | None
    next_validators_hash: bytes
    announces_next: bool = True


@dataclass(frozen=True, slots=True)
class Options:
    """How far trust reaches. The chain's own unbonding period bounds `trusting_period_ns`."""

    trust_level: TrustLevel
    trusting_period_ns: int
    max_clock_drift_ns: int


def commit_checks(
    signed_header: SignedHeader, validator_set: ValidatorSet, signatures: predicates.CommitSignatures
) -> Iterator[Check]:
    """The header's own set signed it. Says nothing about whether that set is to be believed."""
    header, commit = signed_header.header, signed_header.commit
    yield from _shape_checks(signed_header, validator_set)
    yield Check("validator_set_is_sound", VALIDATOR_SET, partial(predicates.validator_set_is_sound, validator_set))
    yield Check("validators_hash_matches", LIGHT, partial(predicates.validators_hash_matches, header, validator_set))
    yield Check(
        "two_thirds_signed", VALIDATION, partial(predicates.two_thirds_signed, validator_set, commit, signatures)
    )


def _shape_checks(signed_header: SignedHeader, validator_set: ValidatorSet) -> Iterator[Check]:
    header, commit = signed_header.header, signed_header.commit
    yield Check("header_is_well_formed", BLOCK, partial(predicates.header_is_well_formed, header))
    yield Check("one_entry_a_validator", VALIDATION, partial(predicates.one_entry_a_validator, commit, validator_set))
    yield Check("commit_matches_header", BLOCK, partial(predicates.commit_matches_header, signed_header))


def _time_checks(time_ns: int, trusted_time_ns: int, options: Options, now_ns: int) -> Iterator[Check]:
    yield Check(
        "within_trusting_period",
        LIGHT,
        partial(predicates.within_trusting_period, trusted_time_ns, options.trusting_period_ns, now_ns),
    )
    yield Check("time_increases", LIGHT, partial(predicates.time_increases, time_ns, trusted_time_ns))


def update_checks(
    chain_id: str,
    signed_header: SignedHeader,
    validator_set: ValidatorSet,
    trusted: TrustedState,
    trusted_validators: ValidatorSet,
    options: Options,
    now_ns: int,
) -> Iterator[Check]:
    """Adjacent and skipping verification from `trusted` (light.Verify), every rule in order.

    `trusted_validators` are those of `trusted.next_validators_hash`. The check `trusted_power_signed` raises
    InsufficientTrust where a nearer header may still do.
    """
    header, commit = signed_header.header, signed_header.commit
    signatures = predicates.CommitSignatures(chain_id, commit)
    yield Check("chain_id_matches", BLOCK, partial(predicates.chain_id_matches, header, chain_id))
    yield Check("height_increases", LIGHT, partial(predicates.height_increases, header.height, trusted.height))
    if trusted.time_ns is not None:
        yield from _time_checks(header.time_ns, trusted.time_ns, options, now_ns)
    yield Check(
        "header_not_from_future",
        LIGHT,
        partial(predicates.header_not_from_future, header.time_ns, options.max_clock_drift_ns, now_ns),
    )
    yield from _shape_checks(signed_header, validator_set)
    yield Check(
        "trusted_validators_are_sound", VALIDATOR_SET, partial(predicates.validator_set_is_sound, trusted_validators)
    )
    yield Check(
        "trusted_validators_hash_matches",
        UPDATE,
        partial(predicates.trusted_validators_hash_matches, trusted_validators, trusted.next_validators_hash),
    )
    adjacent = trusted.announces_next and header.height == trusted.height + 1
    if adjacent:
        yield Check(
            "next_validators_continue",
            LIGHT,
            partial(predicates.next_validators_continue, header, trusted.next_validators_hash),
        )
    yield Check("validator_set_is_sound", VALIDATOR_SET, partial(predicates.validator_set_is_sound, validator_set))
    yield Check("validators_hash_matches", LIGHT, partial(predicates.validators_hash_matches, header, validator_set))
    if not adjacent:
        yield Check(
            "trusted_power_signed",
            VALIDATION,
            partial(predicates.trusted_power_signed, trusted_validators, commit, options.trust_level, signatures),
        )
    yield Check(
        "two_thirds_signed", VALIDATION, partial(predicates.two_thirds_signed, validator_set, commit, signatures)
    )
