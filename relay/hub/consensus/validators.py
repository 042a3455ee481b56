"""Proposer rotation by priority (cometbft types/validator_set.go)."""

from collections.abc import Sequence
from dataclasses import replace

from light_clients.tendermint.types import MAX_INT64, PublicKey, Validator, ValidatorSet

_PRIORITY_WINDOW = 2


def _clip(value: int) -> int:
    return max(-MAX_INT64 - 1, min(MAX_INT64, value))


def _toward_zero(dividend: int, divisor: int) -> int:
    """Integer division as Go does it."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def _most(validators: Sequence[Validator]) -> Validator:
    """Highest priority; the lower address wins a tie."""
    return min(validators, key=lambda validator: (-validator.proposer_priority, validator.address))


def _sum(validators: Sequence[Validator]) -> int:
    return sum(validator.voting_power for validator in validators)


def _rescaled(validators: list[Validator]) -> list[Validator]:
    window = _PRIORITY_WINDOW * _sum(validators)
    priorities = [validator.proposer_priority for validator in validators]
    spread = max(priorities) - min(priorities)
    ratio = (spread + window - 1) // window
    if spread > window:
        validators = [replace(v, proposer_priority=_toward_zero(v.proposer_priority, ratio)) for v in validators]
    return validators


def _centred(validators: list[Validator]) -> list[Validator]:
    total = sum(validator.proposer_priority for validator in validators)
    # Go's big.Int Div is Euclidean; for a positive divisor that is floor division.
    average = total // len(validators)
    return [replace(v, proposer_priority=_clip(v.proposer_priority - average)) for v in validators]


def advance_proposer(validators: ValidatorSet, times: int) -> ValidatorSet:
    """The set after `times` turns: priorities moved and the proposer named."""
    members = _centred(_rescaled(list(validators.validators)))
    total = _sum(members)
    proposer = members[0]
    for _ in range(times):
        members = [replace(v, proposer_priority=_clip(v.proposer_priority + v.voting_power)) for v in members]
        chosen = _most(members)
        proposer = replace(chosen, proposer_priority=_clip(chosen.proposer_priority - total))
        members = [proposer if v.address == chosen.address else v for v in members]
    return ValidatorSet(tuple(members), proposer, validators.claimed_total_voting_power)


def genesis_validators(members: Sequence[tuple[PublicKey, int]]) -> ValidatorSet:
    """The first set in canonical order, with its first proposer (NewValidatorSet increments once)."""
    ordered = ValidatorSet.of(tuple(Validator.of(public_key, power) for public_key, power in members))
    with_total = replace(ordered, claimed_total_voting_power=ordered.total_voting_power)
    return advance_proposer(with_total, 1)


def proposer_of(validators: ValidatorSet, round_: int) -> Validator:
    """Who proposes in `round_` of a height whose round-0 set is `validators`."""
    proposer = validators.proposer if round_ == 0 else advance_proposer(validators, round_).proposer
    if proposer is None:
        raise ValueError("a validator set that takes part in consensus names its proposer")
    return proposer
