"""Acceptances judged one after another under the reader's checkpoints of hubs: every rule in order, the first failure ends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Judge,
    VerificationError,
    cited,
    rule,
)
from hutong.light_clients.records.multiproof import claims_are_proven
from hutong.relay.archive.acceptance import Acceptance, ShownSeal, decode_acceptance
from hutong.relay.archive.bundle import Bundle, ChainKind
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.audit.auditor import MissingTrust, header_rules
from hutong.relay.audit.chains import ChainCase
from hutong.relay.audit.identity.accepted import Accepted, Addressee, place_of
from hutong.relay.audit.identity.seals import judge_shown_seal
from hutong.relay.audit.identity.terms import AcceptanceTerms
from hutong.relay.audit.inquiry import Inquiry, Verdict
from hutong.relay.audit.memory import HeaderMemory, digest_of, remembered
from hutong.relay.audit.records.statements import hub_has_one_tree
from hutong.relay.audit.records.states import BelievedState, judge_state
from hutong.relay.services.identity.rules.acceptance.standing import SPEC, Evidence, Ground
from hutong.relay.services.identity.rules.organisations.issued import Logged
from hutong.relay.services.identity.rules.records.keys import hub_name
from hutong.relay.services.identity.rules.seals.accepting import schema_is_asked_for
from hutong.relay.services.identity.rules.seals.claims import decode_claim_value
from hutong.relay.services.identity.rules.status.chunk_tree import ChunkProof

__all__ = ["AcceptanceAuditor", "AcceptanceReport", "Accepted"]

acceptance_is_canonical = cited(decode_acceptance, SPEC, "acceptance_is_canonical")


@dataclass(frozen=True, slots=True)
class AcceptanceReport:
    """`verdicts` is empty where only the outcome was asked. `acceptance` is None if the bytes cannot be parsed, `accepted`
    is given where every rule held. `rules` counts those that were asked."""

    verdicts: tuple[Verdict, ...]
    rules: int
    failure: Verdict | None
    acceptance: Acceptance | None
    accepted: Accepted | None = None
    trust: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether every rule held."""
        return self.accepted is not None


@dataclass(slots=True)
class AcceptanceAuditor:
    """Remembers which headers it has believed, so that many acceptances under one header cost little.

    `now_ns` is the time of judgement, nanoseconds of Unix time: trusting periods are counted to it.
    """

    checkpoints: Mapping[str, Checkpoint]
    """By chain id: of each hub what is trusted."""
    now_ns: int
    terms: AcceptanceTerms = field(default_factory=AcceptanceTerms)
    _memory: HeaderMemory = field(default_factory=HeaderMemory)

    @classmethod
    def of(cls, checkpoint: Checkpoint, now_ns: int, terms: AcceptanceTerms | None = None) -> Self:
        """Of one hub."""
        return cls({checkpoint.chain_id: checkpoint}, now_ns, terms or AcceptanceTerms())

    def audit(self, data: bytes) -> AcceptanceReport:
        """Judge a file of any origin, and say what every rule said.

        Raises:
            MissingTrust: no checkpoint is of its hub.
            ModuleNotFoundError: it is a presentation, and the extra `identity` is not installed.
        """
        verdicts: list[Verdict] = []
        return self._judge(data, verdicts)

    def judge(self, data: bytes) -> AcceptanceReport:
        """As `audit`, and by the same steps, for acceptances of which only what failed is asked.

        Raises:
            MissingTrust, ModuleNotFoundError: as `audit`.
        """
        return self._judge(data, None)

    def _judge(self, data: bytes, verdicts: list[Verdict] | None) -> AcceptanceReport:
        tell: Callable[[Verdict], object] | None = None if verdicts is None else verdicts.append
        inquiry = Inquiry(tell)
        acceptance: Acceptance | None = None
        try:
            acceptance = inquiry.about("acceptance")(acceptance_is_canonical, data)
            state, accepted = self.examine(inquiry, acceptance)
        except VerificationError as error:
            if not inquiry.refused_by_a_rule(error):
                _tell_of_form(inquiry, error)
            return AcceptanceReport(tuple(verdicts or ()), inquiry.rules, inquiry.failure, acceptance)
        return AcceptanceReport(tuple(verdicts or ()), inquiry.rules, None, acceptance, accepted, state.mode)

    def examine(self, inquiry: Inquiry, acceptance: Acceptance) -> tuple[BelievedState, Accepted]:
        """Every rule after the form, for an inquiry of the caller's.

        Raises:
            MissingTrust, ModuleNotFoundError: as `audit`.
            VerificationError: the first rule that does not hold, which `inquiry` has heard unless a reader of parts raised it.
        """
        chain = acceptance.chain
        checkpoint = self.checkpoints.get(chain.chain_id)
        if checkpoint is None or checkpoint.kind is not ChainKind.TENDERMINT:
            given = ", ".join(sorted(self.checkpoints))
            raise MissingTrust(f"no checkpoint of hub {chain.chain_id}, whose records these are; given: {given}")
        rules = header_rules(checkpoint, chain.validator_sets, self._memory)
        case = ChainCase(Bundle((), (chain,)), chain, checkpoint, rules, frozenset((acceptance.height,)))
        state = judge_state(inquiry, case, acceptance.height, self.now_ns, self._memory)
        subject = f"records of {chain.chain_id} at {acceptance.height}"
        root = inquiry.about(subject)(hub_has_one_tree, checkpoint, state)
        claims, proof = acceptance.claims, acceptance.proof
        parts = (part for claim in claims for part in (claim.key, claim.value))
        key = digest_of(b"acceptance", root, *parts, b"", proof.terminals, *proof.siblings)
        remembered(inquiry, self._memory, subject, key, _judge_claims, root, acceptance)
        time_s = state.time_ns // NANOSECONDS_PER_SECOND
        proven: dict[bytes, bytes | None] = {claim.key: claim.value for claim in claims}
        ground = Ground(hub_name(chain.chain_id), proven, time_s, self.terms.newest_epoch)
        return state, _judge_shown(inquiry, ground, acceptance, self.terms)


def _judge_claims(judge: Judge, root: bytes, acceptance: Acceptance) -> None:
    judge(claims_are_proven, root, acceptance.claims, acceptance.proof)


def _judge_shown(inquiry: Inquiry, ground: Ground, acceptance: Acceptance, terms: AcceptanceTerms) -> Accepted:
    shown, entry = acceptance.shown, acceptance.entry
    logged = None if entry is None else Logged(entry.entry, entry.index, entry.aunts)
    evidence = Evidence(ChunkProof(acceptance.chunk.chunk, acceptance.chunk.siblings), logged)
    if isinstance(shown, ShownSeal):
        audience = f"eip155:{shown.call.chain_id}:0x{shown.call.gate.hex()}"
        judge = inquiry.about(f"seal presented to {audience}")
        sealed = judge_shown_seal(judge, ground, acceptance.issuer, shown, evidence, terms)
        return Accepted(
            place_of(acceptance, ground),
            sealed.presented.shown.seal.schema,
            sealed.judged,
            Addressee(audience, str(shown.call.nonce)),
            {f"0x{one.name_hash.hex()}": decode_claim_value(one.kind, one.value) for one in shown.claims},
            sealed.standing,
        )
    # P-256 is in a library that an auditor of seals alone does not need
    from hutong.relay.audit.identity.presentations import judge_shown_presentation

    judge = inquiry.about(f"presentation to {shown.audience[:80]}")
    held = judge_shown_presentation(judge, ground, acceptance.issuer, shown, evidence, terms)
    if terms.schema is not None:
        judge(schema_is_asked_for, held.schema, terms.schema)
    return Accepted(
        place_of(acceptance, ground),
        held.schema,
        held.judged,
        Addressee(shown.audience, shown.nonce),
        dict(held.shown.claims),
        held.standing,
    )


@rule(SPEC)
def acceptance_well_formed(error: VerificationError) -> None:
    """What stands in an acceptance between the rules, such as the bytes of a record or of a token, can be read.

    Raises:
        VerificationError: the one that a reader of it raised.
    """
    raise error


def _tell_of_form(inquiry: Inquiry, error: VerificationError) -> None:
    try:
        inquiry.about("acceptance")(acceptance_well_formed, error)
    except VerificationError:
        return
