"""The rules in their order: what makes a signed header believed, from a trusted state or by its own set alone.

Cheap rules come before hashes, hashes before signatures, trusted signatures before those of a set that the sender chose.
"""

from dataclasses import dataclass

from hutong.light_clients.interface import Judge
from hutong.light_clients.tendermint import predicates
from hutong.light_clients.tendermint.types import LightBlock, SignedHeader, TrustLevel, ValidatorSet


@dataclass(frozen=True, slots=True)
class TrustedState:
    """What is believed already. `time_ns` None: not known, so neither time nor trusting period is judged.

    `announces_next` False: the hash is of the set at `height` itself, so that the next block, too, is judged by
    overlap.
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


def judge_commit(
    judge: Judge, signed_header: SignedHeader, validator_set: ValidatorSet, signatures: predicates.CommitSignatures
) -> None:
    """The header's own set signed it. Says nothing about whether that set is to be believed.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    header, commit = signed_header.header, signed_header.commit
    _judge_shape(judge, signed_header, validator_set)
    judge(predicates.validator_set_is_sound, validator_set)
    judge(predicates.validators_hash_matches, header, validator_set)
    judge(predicates.two_thirds_signed, validator_set, commit, signatures)


def _judge_shape(judge: Judge, signed_header: SignedHeader, validator_set: ValidatorSet) -> None:
    judge(predicates.header_is_well_formed, signed_header.header)
    judge(predicates.one_entry_a_validator, signed_header.commit, validator_set)
    judge(predicates.commit_matches_header, signed_header)


def judge_update(
    judge: Judge,
    chain_id: str,
    block: LightBlock,
    trusted: TrustedState,
    trusted_validators: ValidatorSet,
    options: Options,
    now_ns: int,
) -> predicates.CommitSignatures:
    """Adjacent and skipping verification from `trusted` (light.Verify), every rule in order.

    `trusted_validators` are those of `trusted.next_validators_hash`.

    Returns:
        The commit's signatures, which remember those that were verified here: for whoever demands more of them.

    Raises:
        InsufficientTrust: by `trusted_power_signed`; a nearer header may still do.
        ClientExpired: the trusted state is older than the trusting period.
        PredicateFailed: the first other rule that does not hold.
    """
    signed_header, validator_set = block.signed_header, block.validators
    header, commit = signed_header.header, signed_header.commit
    signatures = predicates.CommitSignatures(chain_id, commit)
    judge(predicates.chain_id_matches, header, chain_id)
    judge(predicates.height_increases, header.height, trusted.height)
    if trusted.time_ns is not None:
        judge(predicates.within_trusting_period, trusted.time_ns, options.trusting_period_ns, now_ns)
        judge(predicates.time_increases, header.time_ns, trusted.time_ns)
    judge(predicates.header_not_from_future, header.time_ns, options.max_clock_drift_ns, now_ns)
    _judge_shape(judge, signed_header, validator_set)
    judge(predicates.trusted_validators_are_sound, trusted_validators)
    judge(predicates.trusted_validators_hash_matches, trusted_validators, trusted.next_validators_hash)
    adjacent = trusted.announces_next and header.height == trusted.height + 1
    if adjacent:
        judge(predicates.next_validators_continue, header, trusted.next_validators_hash)
    judge(predicates.validator_set_is_sound, validator_set)
    judge(predicates.validators_hash_matches, header, validator_set)
    if not adjacent:
        judge(predicates.trusted_power_signed, trusted_validators, commit, options.trust_level, signatures)
    judge(predicates.two_thirds_signed, validator_set, commit, signatures)
    return signatures
