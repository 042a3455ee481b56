"""A StorageAudit on an EVM chain, over real signed headers of a hub that holds storage records, and an operator with its bytes."""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache

from hutong.adapters.evm.storage_audit import (
    PROBE,
    READ_VERDICT,
    REQUIRE_PASSED,
    AuditTerms,
    encode_probe,
    encode_read_verdict,
    encode_require_passed,
)
from hutong.relay.services.storage.rules.audits.answers import encode_answers
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.values import (
    Outcome,
    SeedRecord,
    SetRecord,
    VerdictRecord,
    encode_seed_record,
    encode_set_record,
    encode_verdict_record,
)
from tests.contracts.records.reader_lane import ReaderLane
from tests.relay.services.storage.rules.held import drawn_operator, named

EPOCH = 7
PROBES = 8
MAX_AGE_S = 900
TERMS = AuditTerms(MAX_AGE_S, PROBES, 1)
OPERATOR = drawn_operator("on other chains", [[2, 0, 7], [3], [0, 1, 1], [4]])
PEER = drawn_operator("its peer", [[2, 0, 7], [3], [0, 1, 1], [4]])
SEED = SeedRecord(named("seed"), named("header"), 500, 0, PROBES, 2, 3)
"""Without a time: `seed_record` says until when answers count."""
CHALLENGE = OPERATOR.challenge(SEED.seed, PROBES)
ANSWERS = OPERATOR.answers(CHALLENGE)
SET_KEY, SEED_KEY = keys.set_key(OPERATOR.id, EPOCH), keys.seed_key(EPOCH)
VERDICT_KEY = keys.verdict_key(OPERATOR.id, EPOCH)


@dataclass
class AuditLane:
    hub: ReaderLane

    def __post_init__(self):
        self.evm = self.hub.evm
        self.audit = self.evm.deploy("StorageAudit", self.hub.reader.address)
        self.token = self.evm.deploy("ExampleToken", "Money", "M", 10**6)
        self.escrow = self.evm.deploy("ExampleStorageEscrow", self.audit.address, self.token.address)

    def seed_record(self, **changed):
        return replace(SEED, **{"due_s": self.hub.now_s + 300} | changed)

    def verdict(self, outcome=Outcome.PASSED, held=PROBES, **changed):
        time_s = self.hub.now_s - 10
        made = VerdictRecord(Outcome.PASSED, PROBES, PROBES, 0, 2, SEED.seed, OPERATOR.set.root, 510, time_s)
        return replace(made, outcome=outcome, held=held, **changed)

    def show_verdict(self, verdict=None, key=VERDICT_KEY):
        """The hub writes it; what shows it."""
        return self.hub.show({key: encode_verdict_record(verdict or self.verdict())}, epochs=())

    def show_epoch(self, seed=None, operator_set=OPERATOR.set, set_height=480, removals=None):
        """The hub writes seed and set, and removals by their keys."""
        records = {
            SEED_KEY: encode_seed_record(seed or self.seed_record()),
            SET_KEY: encode_set_record(SetRecord(operator_set, set_height)),
        }
        return self.hub.show(records | (removals or {}), epochs=())

    def show_retained(self, operator, removals):
        """As `show_epoch`, of another operator."""
        records = {
            SEED_KEY: encode_seed_record(self.seed_record()),
            keys.set_key(operator.id, EPOCH): encode_set_record(SetRecord(operator.set, 480)),
        }
        return self.hub.show(records | removals, epochs=())

    def accept(self, shown, terms=TERMS, operator=OPERATOR.id, epoch=EPOCH):
        data = encode_require_passed(operator, epoch, shown, terms)
        return REQUIRE_PASSED.decode(self.evm.send(self.audit.address, data, keep=False).output)[0]

    def read(self, shown, max_age_s=MAX_AGE_S):
        data = encode_read_verdict(OPERATOR.id, EPOCH, shown, max_age_s)
        return READ_VERDICT.decode(self.evm.send(self.audit.address, data, keep=False).output)[0]

    def probe_call(self, shown, answers=ANSWERS, first=0, count=None, terms=TERMS, operator=OPERATOR.id):
        octets = answers if isinstance(answers, bytes) else encode_answers(answers)
        said = (first, len(answers) if count is None else count, octets)
        return encode_probe(operator, EPOCH, shown, said, terms)

    def probe(self, shown, *arguments, **said):
        data = self.probe_call(shown, *arguments, **said)
        return PROBE.decode(self.evm.send(self.audit.address, data, keep=False).output)[0]


@cache
def _ready():
    return AuditLane(ReaderLane())


def ready():
    """A chain with its contracts; each caller has its own."""
    return deepcopy(_ready())
