"""Record bundles judged one after another under one checkpoint: every predicate in order, the first failure ends it."""

from dataclasses import dataclass, field

from hutong.light_clients.interface import VerificationError, cited
from hutong.relay.archive.bundle import Bundle
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordBundle, decode_record_bundle
from hutong.relay.audit.auditor import MissingTrust, header_rules
from hutong.relay.audit.chains import ChainCase
from hutong.relay.audit.inquiry import Inquiry, Verdict
from hutong.relay.audit.memory import HeaderMemory
from hutong.relay.audit.records.statements import SPEC, Asked, Finding, judge_statements
from hutong.relay.audit.records.states import BelievedState, judge_state

__all__ = ["Asked", "Finding", "RecordAuditor", "RecordReport"]

record_is_canonical = cited(decode_record_bundle, SPEC, "record_is_canonical")


@dataclass(frozen=True, slots=True)
class RecordReport:
    """`bundle` is None if the bytes cannot be parsed; `state` and `findings` are given where every predicate held."""

    verdicts: tuple[Verdict, ...]
    bundle: RecordBundle | None
    state: BelievedState | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether every predicate held."""
        return self.state is not None

    @property
    def failure(self) -> Verdict | None:
        """The predicate that did not hold; None where all held."""
        return None if self.is_valid else self.verdicts[-1]


@dataclass(slots=True)
class RecordAuditor:
    """Remembers which headers it has believed, so that many bundles under one header cost little.

    `now_ns` is the time of judgement, nanoseconds of Unix time: trusting periods are counted to it.
    """

    checkpoint: Checkpoint
    now_ns: int
    asked: Asked = field(default_factory=Asked)
    _memory: HeaderMemory = field(default_factory=HeaderMemory)

    def audit(self, data: bytes) -> RecordReport:
        """Judge a file of any origin, and say what every predicate said.

        Raises:
            MissingTrust: the checkpoint is of another chain.
            MalformedInput: what the reader asks is out of its bounds.
        """
        verdicts: list[Verdict] = []
        inquiry = Inquiry(verdicts.append)
        bundle: RecordBundle | None = None
        try:
            bundle = inquiry.about("bundle")(record_is_canonical, data)
            state, findings = self.examine(inquiry, bundle)
        except VerificationError as error:
            if not inquiry.refused_by_a_rule(error):
                raise
            return RecordReport(tuple(verdicts), bundle)
        return RecordReport(tuple(verdicts), bundle, state, findings)

    def examine(self, inquiry: Inquiry, bundle: RecordBundle) -> tuple[BelievedState, tuple[Finding, ...]]:
        """Every rule after the bundle's form, for an inquiry of the caller's.

        Raises:
            MissingTrust, MalformedInput: as `audit`.
            VerificationError: the first rule that does not hold, which `inquiry` has heard.
        """
        chain, checkpoint = bundle.chain, self.checkpoint
        if chain.chain_id != checkpoint.chain_id:
            raise MissingTrust(f"the record is of chain {chain.chain_id}, the checkpoint of {checkpoint.chain_id}")
        rules = header_rules(checkpoint, chain.validator_sets, self._memory)
        case = ChainCase(Bundle((), (chain,)), chain, checkpoint, rules, frozenset((bundle.height,)))
        state = judge_state(inquiry, case, bundle.height, self.now_ns, self._memory)
        return state, judge_statements(inquiry, bundle, checkpoint, state, self.asked)
