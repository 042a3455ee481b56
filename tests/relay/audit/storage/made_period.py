"""A period of storage audits as files: a hub with real signed headers, operators with their bytes, auditors with secrets.

A test says what goes wrong in which epoch; the bench makes a whole year.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from hutong.light_clients.bft_evm import SealRules
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import TrustLevel
from hutong.relay.archive.bundle import ChainHeaders, ChainKind
from hutong.relay.archive.checkpoint import Checkpoint, TendermintTrust
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey, Statement, encode_record_bundle, in_order
from hutong.relay.core.archiving.bundling.known import known_header
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree
from hutong.relay.services.identity.rules.seals.signatures import sign_account
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.audits.seed import Auditor, epoch_seed, hub_id, secret_commitment
from hutong.relay.services.storage.rules.commitments.entries import OperatorSet
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, signing_digest
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.audit_file import AuditFile, encode_audit_file
from hutong.relay.services.storage.rules.records.members import (
    OperatorRecord,
    OperatorState,
    encode_label,
    encode_operator_record,
)
from hutong.relay.services.storage.rules.records.rounds import Fault, SecretRecord, SecretState, encode_secret_record
from hutong.relay.services.storage.rules.records.values import (
    Outcome,
    RemovalRecord,
    SeedRecord,
    SetRecord,
    VerdictRecord,
    encode_removal_record,
    encode_seed_record,
    encode_set_record,
    encode_verdict_record,
)
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers
from tests.relay.services.storage.deep_operator import DeepOperator, HeldLog
from tests.relay.services.storage.rules.held import named
from tests.relay.services.storage.rules.test_lifecycle import account

CHAIN_ID = "hutong-1"
HUB = hub_id(CHAIN_ID)
DAY_S = 86_400
BLOCKS_A_DAY = 1_000
"""As heights are numbered in records; the simulated chain makes one block an epoch."""
LABEL = encode_label("made")


@dataclass(frozen=True)
class Plan:
    """How large a period is. Each operator's log has `batches` at the beginning and `growth` more an epoch."""

    epochs: int = 4
    operators: int = 3
    probes: int = 6
    auditors: int = 3
    entries: int = 4
    height: int = 2
    batches: int = 3
    growth: int = 1
    retain_until_s: int = 0


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, by epoch, or by epoch and number of the operator."""

    weak: frozenset[int] = frozenset()
    """Epochs in which no auditor reveals."""
    withheld: frozenset[tuple[int, int]] = frozenset()
    """Epoch and number of an auditor."""
    missed: frozenset[tuple[int, int]] = frozenset()
    failed: frozenset[tuple[int, int]] = frozenset()
    no_verdict: frozenset[tuple[int, int]] = frozenset()
    shrunk: frozenset[tuple[int, int]] = frozenset()
    """The set is one batch smaller than the epoch before."""
    removals: Mapping[tuple[int, bytes], RemovalRecord] = field(default_factory=dict)
    """By batch and pack; every operator calls these shards removed."""


@dataclass(frozen=True)
class EpochRecords:
    """What the hub says of an epoch, and the header under which it is shown."""

    seed: SeedRecord
    root: bytes
    headers: ChainHeaders
    height: int


class MadePeriod:
    """`made(epoch)` of each epoch, in order, writes the hub's records; `files` are what is kept of it."""

    def __init__(self, plan: Plan, trouble: Trouble | None = None) -> None:
        self.plan, self.trouble = plan, trouble or Trouble()
        self.operators = [
            DeepOperator(f"made {number}", plan.entries, plan.height, plan.retain_until_s)
            for number in range(plan.operators)
        ]
        self.chain = SimulatedChain(CHAIN_ID, dict.fromkeys(signers(4), 10))
        self.chain.advance()
        self.nodes: dict[bytes, bytes] = {}
        self.tree, self.root = SparseMerkleTree(self.nodes), EMPTY_ROOT
        self.epochs: dict[int, EpochRecords] = {}
        self._newest: dict[int, tuple[int, HeldLog]] = {}
        self.auditors = sorted(named(f"auditor {number}") for number in range(plan.auditors))
        self._write(
            {keys.operator_key(one.id): encode_operator_record(self._operator(one)) for one in self.operators}
            | {keys.removal_key(*at): encode_removal_record(one) for at, one in self.trouble.removals.items()}
        )
        for epoch in range(1, plan.epochs + 1):
            self._make(epoch)

    @staticmethod
    def key(operator: DeepOperator) -> bytes:
        return named(f"key of {operator.name}")

    def _operator(self, one: DeepOperator) -> OperatorRecord:
        return OperatorRecord(account(self.key(one)), LABEL, LABEL, LABEL, LABEL, 1, OperatorState.ACTIVE, 1, 1)

    def _write(self, records: Mapping[bytes, bytes]) -> None:
        self.root, nodes = self.tree.update(self.root, dict(records))
        self.nodes |= nodes

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """Of the hub's second block, trusted for three years."""
        header = self.chain.block(2).header
        trust = TendermintTrust(TrustLevel(1, 3), (b"",), ("smt",))
        kind, years_s = ChainKind.TENDERMINT, 3 * 365 * DAY_S
        encoded = codec.encode_header(header)
        return Checkpoint(CHAIN_ID, kind, 2, header_hash(header), header.time_ns, years_s, 10, {}, trust, encoded)

    @property
    def now_ns(self) -> int:
        return self.chain.latest.header.time_ns + NANOSECONDS_PER_SECOND

    # --- the hub

    def size(self, epoch: int, number: int) -> int:
        shrunk = 2 * self.plan.growth if (epoch, number) in self.trouble.shrunk else 0
        return self.plan.batches + self.plan.growth * epoch - shrunk

    def held(self, epoch: int, number: int) -> HeldLog:
        at = number, self.size(epoch, number)
        if self._newest.get(number, (0, None))[0] != at[1]:
            self._newest[number] = at[1], HeldLog(self.operators[number], at[1])
        return self._newest[number][1]

    def _secrets(self, epoch: int) -> tuple[list[Auditor], list[bytes | None], dict[bytes, bytes]]:
        committed, secrets, records = [], [], {}
        for number, auditor in enumerate(self.auditors):
            secret = sha256(b"%d %d" % (epoch, number)).digest()
            commitment = secret_commitment(HUB, auditor, epoch, secret)
            is_kept = epoch in self.trouble.weak or (epoch, number) in self.trouble.withheld
            at = self.header_height(epoch)
            record = (
                SecretRecord(commitment, bytes(32), SecretState.LOST, Fault.WITHHELD, at - 10, 0)
                if is_kept
                else SecretRecord(commitment, secret, SecretState.REVEALED, Fault(0), at - 10, at + 2)
            )
            committed.append(Auditor(auditor, commitment))
            secrets.append(None if is_kept else secret)
            records[keys.secret_key(epoch, auditor)] = encode_secret_record(record)
        return committed, secrets, records

    @staticmethod
    def header_height(epoch: int) -> int:
        return epoch * BLOCKS_A_DAY

    def time_s(self, epoch: int) -> int:
        return self.chain.genesis_time_ns // NANOSECONDS_PER_SECOND + epoch * DAY_S

    def _make(self, epoch: int) -> None:
        plan, at = self.plan, self.header_height(epoch)
        committed, secrets, state = self._secrets(epoch)
        header = sha256(b"header %d" % epoch).digest()
        drawn = epoch_seed(HUB, epoch, header, committed, secrets)
        due_s = self.time_s(epoch) + 300
        seed = SeedRecord(drawn.value, header, at, due_s, plan.probes, drawn.reveals, drawn.auditors)
        state[keys.seed_key(epoch)] = encode_seed_record(seed)
        for number, operator in enumerate(self.operators):
            shown = self.set_of(epoch, number)
            state[keys.set_key(operator.id, epoch)] = encode_set_record(SetRecord(shown, at - 16))
            verdict = self._verdict(epoch, number, seed, shown)
            if verdict is not None:
                state[keys.verdict_key(operator.id, epoch)] = encode_verdict_record(verdict)
        self._write(state)
        time_ns = (self.time_s(epoch) + 600) * NANOSECONDS_PER_SECOND
        height = self.chain.advance(app_hash=self.root, time_ns=time_ns).header.height
        message = codec.encode_tendermint_header(self.chain.update(height, 2))
        known = known_header(ChainKind.TENDERMINT, message, SealRules())
        sets = tuple(known.validator_sets[name] for name in sorted(known.validator_sets))
        headers = ChainHeaders(CHAIN_ID, ChainKind.TENDERMINT, (known.entry,), sets)
        self.epochs[epoch] = EpochRecords(seed, self.root, headers, height)

    def set_of(self, epoch: int, number: int) -> OperatorSet:
        return self.held(epoch, number).set

    def _verdict(self, epoch: int, number: int, seed: SeedRecord, shown: OperatorSet) -> VerdictRecord | None:
        of, probes = (epoch, number), self.plan.probes
        if of in self.trouble.no_verdict:
            return None
        outcome, held = Outcome.PASSED, probes
        if of in self.trouble.missed:
            outcome, held = Outcome.MISSED, 0
        elif of in self.trouble.failed:
            outcome, held = Outcome.FAILED, probes - 1
        at, time_s = self.header_height(epoch) + 20, self.time_s(epoch) + 120
        return VerdictRecord(outcome, probes, held, 0, seed.reveals, seed.seed, shown.root, at, time_s)

    # --- what is kept

    def bundle(self, epoch: int, wanted: list[bytes]) -> RecordBundle:
        """These records under the header after the epoch."""
        made = self.epochs[epoch]
        claims, multiproof = prove_many(self.tree, made.root, wanted)
        statements = in_order([Statement(RecordKey(one.key), one.value or None, None) for one in claims])
        return RecordBundle(made.headers, self.chain.height(made.height), statements, (), multiproof)

    def secret_keys(self, epoch: int) -> list[bytes]:
        return [keys.secret_key(epoch, auditor) for auditor in self.auditors]

    def audit_keys(self, epoch: int, number: int) -> list[bytes]:
        operator = self.operators[number].id
        return [
            keys.seed_key(epoch),
            keys.set_key(operator, epoch),
            keys.verdict_key(operator, epoch),
            keys.operator_key(operator),
            *self.secret_keys(epoch),
            *(keys.removal_key(*at) for at in self.trouble.removals),
        ]

    def challenge(self, epoch: int, number: int) -> tuple[HeldLog, Challenge]:
        held = self.held(epoch, number)
        return held, Challenge(self.epochs[epoch].seed.seed, held.operator.id, held.set, self.plan.probes)

    def audit(self, epoch: int, number: int, /, first: int = 0, count: int | None = None, **changed) -> bytes:
        """The audit file of these probes; `changed` are members that are set before it is signed."""
        held, challenge = self.challenge(epoch, number)
        count = self.plan.probes - first if count is None else count
        octets = held.answers(challenge, first, count, self.trouble.removals)
        records = encode_record_bundle(self.bundle(epoch, self.audit_keys(epoch, number)))
        file = replace(AuditFile(held.operator.id, epoch, first, count, octets, bytes(65), records), **changed)
        signed = ProbeAnswers(HUB, file.operator, file.epoch, file.first, file.count, sha256(file.answers).digest())
        return encode_audit_file(replace(file, signature=sign_account(self.key(held.operator), signing_digest(signed))))

    def outcomes(self, epoch: int) -> bytes:
        """The record bundle that shows what became of every operator in the epoch."""
        wanted = [keys.seed_key(epoch), *self.secret_keys(epoch)]
        for operator in self.operators:
            wanted += [keys.set_key(operator.id, epoch), keys.verdict_key(operator.id, epoch)]
        return encode_record_bundle(self.bundle(epoch, wanted))

    def files(self, epochs: range | None = None, numbers: range | None = None) -> Iterator[tuple[str, bytes]]:
        """Names and bytes: an audit file for each audit that was answered, and the outcomes of each epoch."""
        for epoch in epochs or range(1, self.plan.epochs + 1):
            yield f"{epoch:06}.record.json", self.outcomes(epoch)
            for number in numbers or range(self.plan.operators):
                if (epoch, number) not in self.trouble.missed | self.trouble.failed:
                    yield f"{epoch:06}-{number:03}.audit", self.audit(epoch, number)

    def write(self, folder: Path, epochs: range | None = None, numbers: range | None = None) -> int:
        """All files; their bytes."""
        size = 0
        for name, data in self.files(epochs, numbers):
            size += (folder / name).write_bytes(data)
        return size
