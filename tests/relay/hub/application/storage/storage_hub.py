"""A simulated hub with operators that hold real shards, a writer, auditors and a holder: epochs run by its blocks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from eth_abi.abi import decode

from hutong.light_clients.crypto import sha256
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import (
    action_hash,
    name_storage_operator_action,
    name_storage_party_action,
    set_storage_operator_state_action,
)
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS
from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.rules.audits.answers import encode_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.audits.seed import hub_id, secret_commitment
from hutong.relay.services.storage.rules.calls import STORAGE_ADDRESS
from hutong.relay.services.storage.rules.commitments.entries import batch_part, decode_log_entry
from hutong.relay.services.storage.rules.commitments.placed import shown_set
from hutong.relay.services.storage.rules.lifecycle.signed import (
    OperatorPart,
    ProbeAnswers,
    WriterBatch,
    parts_hash,
    signing_digest,
    struct_hash,
)
from hutong.relay.services.storage.rules.records import batches, keys, members, rounds, values
from hutong.relay.services.storage.rules.records.members import PartyRole, encode_label
from hutong.relay.services.storage.rules.records.rounds import Phase
from tests.relay.hub.application.identity.organisations import named as account_named
from tests.relay.hub.application.identity.organisations import signature_of
from tests.relay.hub.simulated_hub import ADMINS, RELAYER, SimulatedHub, address_of, hub_genesis
from tests.relay.services.storage.rules.held import HeldShard, Operator, entries_of, named, octets

TABLE = {
    "epoch_s": 60,
    "cut_blocks": 6,
    "reveal_s": 20,
    "deadline_s": 20,
    "probes": 8,
    "full_probes": 16,
    "full_every": 7,
    "data": 3,
    "parity": 3,
    "price": 5,
}
GAS = 8_000_000
HUB = hub_id("hutong-1")
OUTSIDER = account_named("outsider")
WRITER, OTHER_WRITER, REPAIRER, HOLDER = map(named, ("writer", "other writer", "repairer", "holder"))
AUDITORS = sorted(map(named, ("owner", "regulator", "peer")))
LABELS = ("o{}", "s{}", "region", "engine")


def account_of(party: bytes):
    return account_named(f"account {party.hex()}")


def genesis_with(table: object, **changed):
    document = json.loads(encode_genesis(hub_genesis(**changed))) | {"storage": table}
    return decode_genesis(json.dumps(document).encode())


class HubOperator(Operator):
    """One whose log is what the hub appended: nothing is held before."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.id = named(f"operator {number}")
        self.account = account_of(self.id)
        self.batches: list = []
        self.entries: list = []
        self.log: list = []

    def take(self, shards: Sequence[HeldShard], entry: bytes) -> None:
        self.batches.append(list(shards))
        self.entries.append(entries_of(shards))
        self.log.append(decode_log_entry(entry))
        self.set = shown_set(self.log)

    def as_of(self, size: int) -> "HubOperator":
        """What it held when its log had so many batches: proofs are those of that tree."""
        other = HubOperator(self.number)
        other.batches, other.entries, other.log = self.batches[:size], self.entries[:size], self.log[:size]
        other.set = shown_set(other.log)
        return other

    @property
    def labels(self) -> tuple[bytes, ...]:
        return tuple(encode_label(text.format(self.number % 4)) for text in LABELS)


@dataclass
class Batch:
    """What a writer gives: shards of each operator by its id, and who signs."""

    writer: bytes
    sequence: int
    shards: dict[bytes, list[HeldShard]]
    unsigned: set[bytes] = field(default_factory=set)

    @property
    def parts(self) -> list[OperatorPart]:
        return [
            OperatorPart(HUB, self.writer, self.sequence, operator, batch_part(entries_of(self.shards[operator])))
            for operator in sorted(self.shards)
        ]

    def given(self, signers=None) -> list[tuple]:
        rows = []
        for part in self.parts:
            account = (signers or {}).get(part.operator) or account_of(part.operator)
            signature = b"" if part.operator in self.unsigned else signature_of(account, signing_digest(part))
            rows.append((part.operator, part.part.leaves, part.part.entries, part.part.root, signature))
        return rows

    def signature(self, account=None) -> bytes:
        struct = WriterBatch(HUB, self.writer, self.sequence, parts_hash(self.parts))
        return signature_of(account or account_of(self.writer), signing_digest(struct))


class StorageHub:
    """`count` operators in four organisations at four sites, all active."""

    def __init__(self, count: int = 8, hub: SimulatedHub | None = None, **table) -> None:
        self.hub = SimulatedHub(genesis=genesis_with(TABLE | table)) if hub is None else hub
        self.operators = {one.id: one for one in map(HubOperator, range(count))}
        self.name_everybody()

    # --- governance

    def name_everybody(self) -> None:
        operators = [self.naming(one) for one in self.operators.values()]
        roles = [(PartyRole.WRITER, WRITER), (PartyRole.WRITER, OTHER_WRITER)]
        roles += [(PartyRole.REPAIRER, REPAIRER), (PartyRole.HOLDER, HOLDER)]
        roles += [(PartyRole.AUDITOR, one) for one in AUDITORS]
        parties = [self.party(role, one) for role, one in roles]
        assert all(one.ok for one in self.decide(*operators, *parties))
        assert all(one.ok for one in self.decide(*(self.state(one, 2) for one in self.operators)))

    def naming(self, one: HubOperator, **changed) -> bytes:
        said = {"account": address_of(one.account), "labels": one.labels, "weight": 10} | changed
        return name_storage_operator_action(
            self.hub.next_salt(), one.id, said["account"], said["labels"], said["weight"]
        )

    def state(self, operator: bytes, state: int) -> bytes:
        return set_storage_operator_state_action(self.hub.next_salt(), operator, state)

    def party(self, role: int, party: bytes, account: bytes | None = None) -> bytes:
        named_account = address_of(account_of(party)) if account is None else account
        return name_storage_party_action(self.hub.next_salt(), role, party, named_account)

    def decide(self, *actions: bytes):
        """All approved in one block and executed in the next; outcomes of the executions."""
        hub, manager = self.hub, CLIENT_MANAGER_ADDRESS
        hashes = [action_hash(hub.genesis.chain_id, action) for action in actions]
        approvals = [
            hub.raw(manager, abi.APPROVE.call(one), admin, gas=200_000) for admin in ADMINS[:2] for one in hashes
        ]
        for at in range(0, len(approvals), 60):
            assert all(one.ok for one in hub.advance(*approvals[at : at + 60]))
        executions = [hub.raw(manager, abi.EXECUTE.call(one), ADMINS[0], gas=900_000) for one in actions]
        return [done for at in range(0, len(executions), 16) for done in hub.advance(*executions[at : at + 16])]

    # --- calls

    def send(self, function: abi.Function, *said, account=RELAYER, gas: int = GAS):
        return self.hub.send(STORAGE_ADDRESS, function.call(*said), account, gas=gas)

    def group(self, writer: bytes, sequence: int) -> list[bytes]:
        """Operators of the batch's group, shard by shard."""
        group = self.hub.read(STORAGE_ADDRESS, interface.GROUP_OF, writer, sequence)
        return list(self.hub.read(STORAGE_ADDRESS, interface.PLACEMENT, self.newest_map, group))

    @property
    def newest_map(self) -> int:
        return int.from_bytes(self.get(keys.MAPS_KEY) or b"", "big")

    def batch(self, sequence: int, heights=(1, 0), writer: bytes = WRITER, retain_until_s: int = 0) -> Batch:
        """A pack for each height, one shard of it for each operator of the group."""
        shards: dict[bytes, list[HeldShard]] = {}
        for number, operator in enumerate(self.group(writer, sequence)):
            shards[operator] = [
                HeldShard(
                    named(f"pack {writer.hex()} {sequence}.{at}"),
                    number,
                    octets(f"{sequence}.{at}.{number}", 1_024 << height),
                    retain_until_s,
                )
                for at, height in enumerate(heights)
            ]
        return Batch(writer, sequence, shards)

    def store(self, batch: Batch, **changed):
        """Send it, and let operators hold what the hub logged."""
        said = {"map": self.newest_map, "given": batch.given(), "signature": batch.signature()} | changed
        outcome = self.send(
            interface.STORE_BATCH, batch.writer, batch.sequence, said["map"], said["given"], said["signature"]
        )
        self.held(batch, outcome)
        return outcome

    def held(self, batch: Batch, outcome) -> None:
        for log in outcome.logs:
            if log.topics[0] == interface.LOGGED_EVENT.topic:
                _, entry = abi_values(interface.LOGGED_EVENT, log)
                operator = log.topics[1]
                self.operators[operator].take(batch.shards[operator], entry)

    def hashes(self, batch: Batch) -> list[bytes]:
        return [struct_hash(part) for part in batch.parts]

    # --- epochs

    @property
    def clock(self):
        raw = self.get(keys.CLOCK_KEY)
        return None if raw is None else rounds.decode_clock_record(raw)

    def until(self, phase: Phase, epoch: int = 1, most: int = 200) -> None:
        """Empty blocks, a second each, until the epoch is there."""
        for _ in range(most):
            clock = self.clock
            if clock is not None and (clock.epoch, clock.phase) == (epoch, phase):
                return
            self.hub.advance()
        raise AssertionError((self.clock, phase, epoch))

    def secret(self, auditor: bytes, epoch: int) -> bytes:
        return sha256(auditor + epoch.to_bytes(8, "big"))

    def commit(self, auditor: bytes, epoch: int = 1, secret: bytes | None = None):
        shown = self.secret(auditor, epoch) if secret is None else secret
        said = (auditor, epoch, secret_commitment(HUB, auditor, epoch, shown))
        return self.send(interface.COMMIT_SECRET, *said, account=account_of(auditor))

    def reveal(self, auditor: bytes, epoch: int = 1, secret: bytes | None = None):
        shown = self.secret(auditor, epoch) if secret is None else secret
        return self.send(interface.REVEAL_SECRET, auditor, epoch, shown, account=account_of(auditor))

    def seeded(self, epoch: int = 1, auditors: Sequence[bytes] = AUDITORS) -> None:
        """Up to the phase in which operators answer."""
        self.until(Phase.COMMITTING, epoch)
        hub = self.hub
        said = [
            interface.COMMIT_SECRET.call(one, epoch, secret_commitment(HUB, one, epoch, self.secret(one, epoch)))
            for one in auditors
        ]
        accounts = [account_of(one) for one in auditors]
        assert all(one.ok for one in hub.advance(*map(self._raw, said, accounts)))
        self.until(Phase.REVEALING, epoch)
        said = [interface.REVEAL_SECRET.call(one, epoch, self.secret(one, epoch)) for one in auditors]
        assert all(one.ok for one in hub.advance(*map(self._raw, said, accounts)))
        self.until(Phase.ANSWERING, epoch)

    def _raw(self, data: bytes, account) -> bytes:
        return self.hub.raw(STORAGE_ADDRESS, data, account, gas=300_000)

    def challenge(self, operator: HubOperator, epoch: int = 1) -> Challenge:
        seed, asked = self.seed(epoch), self.set_of(operator.id, epoch)
        assert seed is not None and asked is not None
        return Challenge(seed.seed, operator.id, asked.operator_set, seed.probes)

    def answers(self, operator: HubOperator, epoch: int = 1) -> list:
        challenge = self.challenge(operator, epoch)
        held = operator.as_of(challenge.operator_set.size)
        assert held.set == challenge.operator_set
        return held.answers(challenge)

    def answer(self, operator: HubOperator, epoch: int = 1, first: int = 0, answers=None, **changed):
        """All answers from `first` on, unless others are given."""
        shown = self.answers(operator, epoch)[first:] if answers is None else answers
        raw = changed.get("octets", encode_answers(shown))
        count = changed.get("count", len(shown))
        struct = ProbeAnswers(HUB, operator.id, epoch, first, count, sha256(raw))
        signature = signature_of(changed.get("signer", operator.account), signing_digest(struct))
        return self.send(interface.SUBMIT_ANSWERS, operator.id, epoch, first, count, raw, signature)

    # --- records

    def get(self, key: bytes) -> bytes | None:
        return self.hub.view().get(key)

    def _decoded(self, key: bytes, decode):
        raw = self.get(key)
        return None if raw is None else decode(raw)

    def seed(self, epoch: int = 1):
        return self._decoded(keys.seed_key(epoch), values.decode_seed_record)

    def set_of(self, operator: bytes, epoch: int = 1):
        return self._decoded(keys.set_key(operator, epoch), values.decode_set_record)

    def verdict(self, operator: bytes, epoch: int = 1):
        return self._decoded(keys.verdict_key(operator, epoch), values.decode_verdict_record)

    def ledger(self, operator: bytes):
        return self._decoded(keys.ledger_key(operator), rounds.decode_ledger_record)

    def secret_of(self, auditor: bytes, epoch: int = 1):
        return self._decoded(keys.secret_key(epoch, auditor), rounds.decode_secret_record)

    def log(self, operator: bytes):
        return self._decoded(keys.log_key(operator), batches.decode_log_record)

    def record(self, operator: bytes):
        return self._decoded(keys.operator_key(operator), members.decode_operator_record)

    def batch_of(self, number: int):
        return self._decoded(keys.batch_key(number), batches.decode_batch_record)

    def map(self, number: int):
        return self._decoded(keys.map_key(number), members.decode_map_record)

    def removal(self, batch: int, pack: bytes):
        return self._decoded(keys.removal_key(batch, pack), values.decode_removal_record)


def abi_values(event: abi.Event, log) -> tuple:
    return tuple(decode(event.data_types, log.data))
