"""The rules in their order: what makes a sealed header believed, from a trusted state or by its own list alone.

Cheap rules come before signatures.
"""

from dataclasses import dataclass, field

from hutong.light_clients.bft_evm import contract as contracts
from hutong.light_clients.bft_evm import predicates
from hutong.light_clients.bft_evm.predicates import BESU_RULES, BESU_SEALS, GOQUORUM
from hutong.light_clients.bft_evm.types import (
    Consensus,
    Header,
    SealRules,
    TrustedState,
    ValidatorContract,
    ValidatorsProof,
)
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Judge, Rule, cited, rule


@dataclass(frozen=True, slots=True)
class Options:
    """How far trust reaches, in seconds, and which seals count."""

    trusting_period_s: int
    max_clock_drift_s: int
    rules: SealRules = field(default_factory=SealRules)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Who may seal a header, in its own order, and who did."""

    validators: tuple[bytes, ...]
    committers: frozenset[bytes]


class _SealSources:
    """The rules over fields and seals, as the nodes of one consensus demand them."""

    def __init__(self, consensus: Consensus) -> None:
        is_istanbul = consensus is Consensus.ISTANBUL
        name = f"{consensus.name.lower()}_constant_fields"
        seals = GOQUORUM if is_istanbul else BESU_SEALS
        self.constant_fields = cited(predicates.constant_fields, GOQUORUM if is_istanbul else BESU_RULES, name)
        self.commit_seals = cited(predicates.commit_seals_of_validators, seals)
        self.quorum = cited(predicates.quorum_of_own_validators, seals)
        self.proposer: Rule[[Header, tuple[bytes, ...]], None] | None = (
            predicates.proposer_is_listed if is_istanbul else None
        )


_SEALS = {consensus: _SealSources(consensus) for consensus in Consensus}


def judge_seals(judge: Judge, header: Header, rules: SealRules) -> Sealed:
    """The header's own validators sealed it. Says nothing about whether that list is to be believed.

    Raises:
        PredicateFailed, MalformedInput: the first rule that does not hold.
    """
    seals = _SEALS[rules.consensus]
    judge(seals.constant_fields, header)
    if rules.validator_contract is None:
        validators = header.extra.validators
        judge(predicates.validators_are_listed, validators)
    else:
        validators = _judge_contract(judge, header, rules.validator_contract)
    committers = judge(seals.commit_seals, header, validators)
    judge(seals.quorum, len(validators), committers, rules.quorum_rule)
    if seals.proposer is not None:
        judge(seals.proposer, header, validators)
    return Sealed(validators, committers)


def _judge_contract(judge: Judge, header: Header, contract: ValidatorContract) -> tuple[bytes, ...]:
    judge(contracts.no_validators_in_header, header)
    proof = judge(contracts.parent_is_linked, header)
    return judge(validators_proven_in_contract, contract, proof)


@rule(f"EIP-1186; {contracts.BESU_CONTRACT}")
def validators_proven_in_contract(contract: ValidatorContract, proof: ValidatorsProof) -> tuple[bytes, ...]:
    """The contract's list under the parent's state root, which is a list as headers have it.

    Raises:
        PredicateFailed, MalformedInput: it is not proven, or the list is empty, too long or repeats an address.
    """
    validators = contracts.contract_validators(contract, proof)
    predicates.validators_are_listed(validators)
    return validators


def judge_update(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Sealed:
    """The header is believed because of a lower, trusted state. Times of `trusted` and `options` are seconds.

    Raises:
        TooLittleOverlap: by the last rule; a nearer header may do.
        ClientExpired: the trusted state is older than the trusting period.
        PredicateFailed, MalformedInput: the first other rule that does not hold.
    """
    _judge_standing(judge, header, trusted, options, now_ns)
    judge(predicates.time_does_not_decrease, header, trusted.timestamp_s)
    drift_ns = options.max_clock_drift_s * NANOSECONDS_PER_SECOND
    judge(predicates.header_not_from_future, header.timestamp_ns, drift_ns, now_ns)
    return _judge_vouching(judge, header, trusted, options.rules)


def judge_evidence(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> None:
    """As `judge_update`, whatever the header says of the time: anyone who signs two blocks at a height does not get
    away with a date that no update could have.

    Raises:
        VerificationError: as `judge_update`.
    """
    _judge_standing(judge, header, trusted, options, now_ns)
    _judge_vouching(judge, header, trusted, options.rules)


def _judge_standing(judge: Judge, header: Header, trusted: TrustedState, options: Options, now_ns: int) -> None:
    trusted_ns = trusted.timestamp_s * NANOSECONDS_PER_SECOND
    judge(predicates.within_trusting_period, trusted_ns, options.trusting_period_s * NANOSECONDS_PER_SECOND, now_ns)
    judge(predicates.height_increases, header.height, trusted.height)


def _judge_vouching(judge: Judge, header: Header, trusted: TrustedState, rules: SealRules) -> Sealed:
    sealed = judge_seals(judge, header, rules)
    judge(predicates.overlap_with_trusted_validators, sealed.committers, trusted.validators)
    return sealed
