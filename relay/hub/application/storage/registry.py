"""The records of the storage module over one store: typed reads, and writes that are told of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hutong.relay.evm.vm.native import Address, NativeCall
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.module import emit
from hutong.relay.hub.application.storage import interface
from hutong.relay.hub.application.storage.refusals import (
    NotTheNamedAccount,
    UnknownBatch,
    UnknownOperator,
    UnknownParty,
)
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.storage.rules.records import batches, keys, members, rounds, values
from hutong.relay.services.storage.rules.records.batches import BatchRecord, LogRecord
from hutong.relay.services.storage.rules.records.members import MapRecord, OperatorRecord, PartyRecord, PartyRole
from hutong.relay.services.storage.rules.records.parameters import (
    DEFAULTS,
    Parameters,
    decode_parameters,
    encode_parameters,
)
from hutong.relay.services.storage.rules.records.rounds import (
    AnsweredRecord,
    ClockRecord,
    LedgerRecord,
    SecretRecord,
)
from hutong.relay.services.storage.rules.records.values import RemovalRecord, SeedRecord, SetRecord, VerdictRecord

Told = Callable[[bytes, bytes, bytes], None]
"""(what it is about in 32 bytes, key, value) of what was written; no value where a record is gone."""
ID_BYTES = 32


def tell_nobody(_about: bytes, _key: bytes, _value: bytes) -> None:
    """Of what the hub does by itself, or another module's event tells of."""


def numbered(number: int) -> bytes:
    """A number as 32 bytes, for events."""
    return number.to_bytes(ID_BYTES, "big")


@dataclass(frozen=True, slots=True)
class Registry:
    """Records as of a running block, whose moment is `now`."""

    store: Store
    now: Moment
    tell: Told = tell_nobody

    def write(self, about: bytes, key: bytes, value: bytes) -> None:
        """Write a record that anybody may prove, and tell of it."""
        self.store.set(key, value)
        self.tell(about, key, value)

    def number(self, key: bytes) -> int:
        """What stands in 8 bytes under a key; 0 where there is nothing."""
        return int.from_bytes(self.store.get(key) or b"", "big")

    def set_number(self, key: bytes, number: int) -> None:
        """Write 8 bytes."""
        self.store.set(key, number.to_bytes(8, "big"))

    # --- who is named

    def parameters(self) -> Parameters:
        """What governance says of the module; its defaults where it has said nothing."""
        raw = self.store.get(keys.PARAMETERS_KEY)
        return DEFAULTS if raw is None else decode_parameters(raw)

    def set_parameters(self, parameters: Parameters) -> None:
        """Write what governance says."""
        self.store.set(keys.PARAMETERS_KEY, encode_parameters(parameters))

    def find_operator(self, operator: bytes) -> OperatorRecord | None:
        """An operator, None where it is not registered."""
        raw = self.store.get(keys.operator_key(operator))
        return None if raw is None else members.decode_operator_record(raw)

    def operator(self, operator: bytes) -> OperatorRecord:
        """An operator.

        Raises:
            UnknownOperator: it is not registered.
        """
        found = self.find_operator(operator)
        if found is None:
            raise UnknownOperator(operator)
        return found

    def put_operator(self, operator: bytes, record: OperatorRecord) -> None:
        """Write an operator as changed now."""
        changed = replace(record, height=self.now.height, time_s=self.now.time_s)
        self.write(operator, keys.operator_key(operator), members.encode_operator_record(changed))

    def roster(self) -> tuple[bytes, ...]:
        """Ids of all operators that have not left, ascending."""
        raw = self.store.get(keys.ROSTER_KEY) or b""
        return tuple(raw[at : at + ID_BYTES] for at in range(0, len(raw), ID_BYTES))

    def set_roster(self, operators: tuple[bytes, ...]) -> None:
        """Write who has not left."""
        if operators:
            self.store.set(keys.ROSTER_KEY, b"".join(sorted(operators)))
        else:
            self.store.delete(keys.ROSTER_KEY)

    def find_party(self, role: PartyRole, party: bytes) -> PartyRecord | None:
        """One who is named for a role, None for whoever is not."""
        raw = self.store.get(keys.party_key(role, party))
        return None if raw is None else members.decode_party_record(raw)

    def party(self, role: PartyRole, party: bytes) -> PartyRecord:
        """One who is named for a role.

        Raises:
            UnknownParty: it is not.
        """
        found = self.find_party(role, party)
        if found is None:
            raise UnknownParty(role, party)
        return found

    def find_map(self, number: int) -> MapRecord | None:
        """A map, None where there is none of this number."""
        raw = self.store.get(keys.map_key(number))
        return None if raw is None else members.decode_map_record(raw)

    # --- batches and logs

    def batch(self, number: int) -> BatchRecord:
        """A batch.

        Raises:
            UnknownBatch: none has this number.
        """
        raw = self.store.get(keys.batch_key(number))
        if raw is None:
            raise UnknownBatch(number)
        return batches.decode_batch_record(raw)

    def put_batch(self, number: int, record: BatchRecord) -> None:
        """Write a batch."""
        self.write(numbered(number), keys.batch_key(number), batches.encode_batch_record(record))

    def find_log(self, operator: bytes) -> LogRecord | None:
        """An operator's log, None before its first entry."""
        raw = self.store.get(keys.log_key(operator))
        return None if raw is None else batches.decode_log_record(raw)

    def put_log(self, operator: bytes, record: LogRecord) -> None:
        """Write an operator's log."""
        self.write(operator, keys.log_key(operator), batches.encode_log_record(record))

    # --- epochs

    def find_clock(self) -> ClockRecord | None:
        """The newest epoch, None before the first."""
        raw = self.store.get(keys.CLOCK_KEY)
        return None if raw is None else rounds.decode_clock_record(raw)

    def put_clock(self, record: ClockRecord) -> None:
        """Write where the newest epoch stands."""
        self.store.set(keys.CLOCK_KEY, rounds.encode_clock_record(record))

    def find_set(self, operator: bytes, epoch: int) -> SetRecord | None:
        """What an operator is asked about in an epoch, None where it is not asked."""
        raw = self.store.get(keys.set_key(operator, epoch))
        return None if raw is None else values.decode_set_record(raw)

    def find_seed(self, epoch: int) -> SeedRecord | None:
        """An epoch's seed, None before it is drawn."""
        raw = self.store.get(keys.seed_key(epoch))
        return None if raw is None else values.decode_seed_record(raw)

    def find_secret(self, epoch: int, auditor: bytes) -> SecretRecord | None:
        """What an auditor did in an epoch, None where it did not commit."""
        raw = self.store.get(keys.secret_key(epoch, auditor))
        return None if raw is None else rounds.decode_secret_record(raw)

    def put_secret(self, epoch: int, auditor: bytes, record: SecretRecord) -> None:
        """Write what an auditor did in an epoch."""
        self.write(auditor, keys.secret_key(epoch, auditor), rounds.encode_secret_record(record))

    def secrets(self, epoch: int) -> Iterator[tuple[bytes, SecretRecord]]:
        """Each auditor that committed for an epoch, ascending."""
        prefix = keys.SECRET_PREFIX + epoch.to_bytes(8, "big")
        row = self.store.next(prefix)
        while row is not None and row[0].startswith(prefix):
            yield row[0][len(prefix) :], rounds.decode_secret_record(row[1])
            row = self.store.next(row[0])

    def has_verdict(self, operator: bytes, epoch: int) -> bool:
        """Whether an operator's audit is over."""
        return self.store.get(keys.verdict_key(operator, epoch)) is not None

    def put_verdict(self, operator: bytes, epoch: int, record: VerdictRecord) -> None:
        """Write an operator's verdict."""
        self.write(operator, keys.verdict_key(operator, epoch), values.encode_verdict_record(record))

    def answered(self, operator: bytes, epoch: int) -> AnsweredRecord:
        """How far an operator is in an epoch."""
        raw = self.store.get(keys.answered_key(operator))
        found = None if raw is None else rounds.decode_answered_record(raw)
        return found if found is not None and found.epoch == epoch else AnsweredRecord(epoch, 0, 0)

    def put_answered(self, operator: bytes, record: AnsweredRecord) -> None:
        """Write how far an operator is."""
        self.write(operator, keys.answered_key(operator), rounds.encode_answered_record(record))

    def ledger(self, operator: bytes) -> LedgerRecord:
        """What an operator has done so far."""
        raw = self.store.get(keys.ledger_key(operator))
        return LedgerRecord() if raw is None else rounds.decode_ledger_record(raw)

    def put_ledger(self, operator: bytes, record: LedgerRecord) -> None:
        """Write what an operator has done."""
        self.write(operator, keys.ledger_key(operator), rounds.encode_ledger_record(record))

    # --- removals and holds

    def find_removal(self, batch: int, pack: bytes) -> RemovalRecord | None:
        """Which shards of a pack in a batch were removed, None for none."""
        raw = self.store.get(keys.removal_key(batch, pack))
        return None if raw is None else values.decode_removal_record(raw)

    def put_removal(self, batch: int, pack: bytes, record: RemovalRecord) -> None:
        """Write which shards were removed."""
        self.write(pack, keys.removal_key(batch, pack), values.encode_removal_record(record))

    def hold_until_s(self, pack: bytes) -> int:
        """Until when a pack is held, 0 where it is not."""
        raw = self.store.get(keys.hold_key(pack))
        return 0 if raw is None else values.decode_hold_record(raw).until_s


def require_account(caller: Address, account: Address) -> None:
    """The caller is the account that a record names.

    Raises:
        NotTheNamedAccount: it is another.
    """
    if caller != account:
        raise NotTheNamedAccount(caller, account)


def registry_of(call: NativeCall) -> Registry:
    """The records in the state of a running block, each read and write paid for by the call, which tells of writes."""
    frame = frame_of(call)

    def tell(about: bytes, key: bytes, value: bytes) -> None:
        emit(call, interface.RECORDED_EVENT, (about,), (key, value))

    return Registry(MeteredStore(call, frame), Moment(frame.height, frame.now_s), tell)
