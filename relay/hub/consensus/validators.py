"""Changes of a validator set, and proposer rotation by priority (cometbft types/validator_set.go)."""

from collections.abc import Sequence
from dataclasses import replace

from hutong.light_clients.tendermint.types import (
    MAX_INT64,
    MAX_TOTAL_VOTING_POWER,
    PublicKey,
    Validator,
    ValidatorSet,
)

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
    """The set after `times` turns, of which there must be at least one: priorities moved and the proposer named."""
    members = _centred(_rescaled(list(validators.validators)))
    total = _sum(members)
    proposer = members[0]
    for _ in range(times):
        members = [replace(v, proposer_priority=_clip(v.proposer_priority + v.voting_power)) for v in members]
        chosen = _most(members)
        proposer = replace(chosen, proposer_priority=_clip(chosen.proposer_priority - total))
        members = [proposer if v.address == chosen.address else v for v in members]
    return ValidatorSet(tuple(members), proposer, validators.claimed_total_voting_power)


class ChangeRefused(Exception):
    """CometBFT refuses these changes, and halts the chain whose application asks for them."""


def with_changes(validators: ValidatorSet, changes: Sequence[tuple[PublicKey, int]]) -> ValidatorSet:
    """The set after an application's updates (UpdateWithChangeSet), before its next turn: no proposer is named.

    A new member starts behind everyone, at -1.125 of the total power that counts all updates but no removal, so that
    leaving and joining again gains no turn. Without changes the set is returned as it is, proposer included.

    Raises:
        ChangeRefused: a key twice, a power out of bounds, an unknown member removed, nobody left, or too much power.
    """
    if not changes:
        return validators
    powers = {public_key.address: power for public_key, power in changes}
    members = {validator.address: validator for validator in validators.validators}
    if len(powers) != len(changes):
        raise ChangeRefused("a validator is changed twice")
    for address, power in powers.items():
        if not 0 <= power <= MAX_TOTAL_VOTING_POWER:
            raise ChangeRefused(f"power {power} of validator {address.hex()}")
        if power == 0 and address not in members:
            raise ChangeRefused(f"no validator {address.hex()} to remove")
    removed_power = sum(members[address].voting_power for address, power in powers.items() if power == 0)
    updated_power = _sum(validators.validators) + sum(
        power - (members[address].voting_power if address in members else 0)
        for address, power in powers.items()
        if power > 0
    )
    if updated_power - removed_power > MAX_TOTAL_VOTING_POWER:
        raise ChangeRefused(f"total power {updated_power - removed_power}")
    behind = -(updated_power + (updated_power >> 3))
    for public_key, power in changes:
        known = members.pop(public_key.address, None)
        if power > 0:
            priority = behind if known is None else known.proposer_priority
            members[public_key.address] = Validator.of(public_key, power, priority)
    if not members:
        raise ChangeRefused("no validator is left")
    ordered = ValidatorSet.of(tuple(_centred(_rescaled(list(members.values()))))).validators
    return ValidatorSet(ordered, None, _sum(ordered))


def genesis_validators(members: Sequence[tuple[PublicKey, int]]) -> ValidatorSet:
    """The first set in canonical order, with its first proposer (NewValidatorSet increments once)."""
    ordered = ValidatorSet.of(tuple(Validator.of(public_key, power) for public_key, power in members))
    with_total = replace(ordered, claimed_total_voting_power=ordered.total_voting_power)
    return advance_proposer(with_total, 1)


def proposer_of(validators: ValidatorSet, round_: int) -> Validator:
    """The validator that proposes in `round_` of a height whose round-0 set is `validators`; linear in `round_`.

    Raises:
        ValueError: the set names no proposer, and `round_` is 0.
    """
    proposer = validators.proposer if round_ == 0 else advance_proposer(validators, round_).proposer
    if proposer is None:
        raise ValueError("a validator set that takes part in consensus names its proposer")
    return proposer
