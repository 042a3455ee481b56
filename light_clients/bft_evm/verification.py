"""The rules in their order: what makes a sealed header believed, from a trusted state or by its own list alone.

Cheap rules come before signatures.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from light_clients.bft_evm import contract as contracts
from light_clients.bft_evm import predicates
from light_clients.bft_evm.types import Consensus, Header, SealRules, TrustedState, ValidatorContract, ValidatorsProof
from light_clients.evm_header import rules as evm
from light_clients.interface import Check, PredicateFailed

SPEC = "docs/spec/bft-evm-client.md"
BESU_RULES = "besu {Qbft,Ibft}BlockHeaderValidationRulesetFactory"
BESU_SEALS = "besu BftCommitSealsValidationRule"
GOQUORUM = "quorum consensus/istanbul/ibft/engine"
BESU_CONTRACT = "besu TransactionValidatorProvider"


@dataclass(frozen=True, slots=True)
class Options:
    """How far trust reaches, in seconds, and which seals count."""

    trusting_period_s: int
    max_clock_drift_s: int
    rules: SealRules = field(default_factory=SealRules)


@dataclass(slots=True)
class Committers:
    """Whose header it is and who sealed it: found once, by the rules that judge list and seals, and read by those behind."""

    header: Header
    validators: tuple[bytes, ...] = ()
    addresses: frozenset[bytes] = field(default_factory=frozenset)

    def take_list(self) -> None:
        predicates.validators_are_listed(self.header.extra.validators)
        self.validators = self.header.extra.validators

    def read_contract(self, contract: ValidatorContract, proof: ValidatorsProof) -> None:
        validators = contracts.contract_validators(contract, proof)
        predicates.validators_are_listed(validators)
        self.validators = validators

    def recover(self) -> None:
        self.addresses = predicates.recover_committers(self.header, self.validators)


def seal_checks(header: Header, committers: Committers, rules: SealRules) -> Iterator[Check]:
    """The header's own validators sealed it. Says nothing about whether that list is to be believed."""
    is_istanbul = rules.consensus is Consensus.ISTANBUL
    seals = GOQUORUM if is_istanbul else BESU_SEALS
    name = f"{rules.consensus.name.lower()}_constant_fields"
    yield Check(name, GOQUORUM if is_istanbul else BESU_RULES, partial(predicates.constant_fields, header))
    if rules.validator_contract is None:
        yield Check("validators_are_listed", SPEC, committers.take_list)
    else:
        yield from _contract_checks(header, committers, rules.validator_contract)
    yield Check("commit_seals_of_validators", seals, committers.recover)
    yield Check(
        "quorum_of_own_validators",
        seals,
        lambda: predicates.quorum_of_own_validators(
            len(committers.validators), committers.addresses, rules.quorum_rule
        ),
    )
    if is_istanbul:
        yield Check(
            "proposer_is_listed", GOQUORUM, lambda: predicates.proposer_is_listed(header, committers.validators)
        )


def _contract_checks(header: Header, committers: Committers, contract: ValidatorContract) -> Iterator[Check]:
    yield Check("no_validators_in_header", BESU_CONTRACT, partial(contracts.no_validators_in_header, header))
    yield Check("parent_is_linked", SPEC, lambda: contracts.parent_is_linked(header, _proof_of(header)))
    yield Check(
        contracts.PROVEN,
        f"EIP-1186; {BESU_CONTRACT}",
        lambda: committers.read_contract(contract, _proof_of(header)),
    )


def _proof_of(header: Header) -> ValidatorsProof:
    if header.validators_proof is None:
        raise PredicateFailed(contracts.PROVEN, "the header comes without a proof of its validators")
    return header.validators_proof


def update_checks(
    header: Header, trusted: TrustedState, options: Options, now_ns: int, committers: Committers | None = None
) -> Iterator[Check]:
    """The header is believed because of a lower, trusted state. The last rule raises `TooLittleOverlap`."""
    yield from _standing_checks(header, trusted, options, now_ns)
    yield Check("time_does_not_decrease", SPEC, partial(predicates.time_does_not_decrease, header, trusted.timestamp_s))
    yield Check(
        "header_not_from_future",
        SPEC,
        partial(evm.header_not_from_future, header.execution.timestamp_s, options.max_clock_drift_s, now_ns),
    )
    yield from _vouching_checks(header, trusted, options.rules, committers or Committers(header))


def evidence_checks(
    header: Header, trusted: TrustedState, options: Options, now_ns: int, committers: Committers | None = None
) -> Iterator[Check]:
    """As `update_checks`, whatever the header says of the time: who seals two blocks at a height does not get away with
    a date that no update could have."""
    yield from _standing_checks(header, trusted, options, now_ns)
    yield from _vouching_checks(header, trusted, options.rules, committers or Committers(header))


def _standing_checks(header: Header, trusted: TrustedState, options: Options, now_ns: int) -> Iterator[Check]:
    yield Check(
        "within_trusting_period",
        SPEC,
        partial(evm.within_trusting_period, trusted.timestamp_s, options.trusting_period_s, now_ns),
    )
    yield Check("height_increases", SPEC, partial(evm.height_increases, header.height, trusted.height))


def _vouching_checks(
    header: Header, trusted: TrustedState, rules: SealRules, committers: Committers
) -> Iterator[Check]:
    yield from seal_checks(header, committers, rules)
    yield Check(
        "overlap_with_trusted_validators",
        SPEC,
        lambda: predicates.overlap_with_trusted_validators(committers.addresses, trusted.validators),
    )
