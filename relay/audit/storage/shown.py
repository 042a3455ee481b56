"""What a bundle's records say of storage, by what they are about: each was proven before, and is read here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey
from hutong.relay.services.storage.rules.audits.seed import Auditor, epoch_seed
from hutong.relay.services.storage.rules.commitments.fields import HASH_BYTES, Fields
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.members import OperatorRecord, decode_operator_record
from hutong.relay.services.storage.rules.records.rounds import SecretRecord, SecretState, decode_secret_record
from hutong.relay.services.storage.rules.records.values import (
    RemovalRecord,
    SeedRecord,
    SetRecord,
    VerdictRecord,
    decode_removal_record,
    decode_seed_record,
    decode_set_record,
    decode_verdict_record,
)

SPEC: Final = "docs/spec/storage-periods.md"
_NUMBER_BYTES: Final = 8

OfOperator = tuple[bytes, int]
"""Operator and epoch."""


@dataclass(slots=True)
class ShownStorage:
    """Records by what they are about. None: the hub has nothing there, which is proven too."""

    seeds: dict[int, SeedRecord] = field(default_factory=dict)
    sets: dict[OfOperator, SetRecord | None] = field(default_factory=dict)
    verdicts: dict[OfOperator, VerdictRecord | None] = field(default_factory=dict)
    operators: dict[bytes, OperatorRecord] = field(default_factory=dict)
    secrets: dict[tuple[int, bytes], SecretRecord] = field(default_factory=dict)
    removals: dict[tuple[int, bytes], RemovalRecord] = field(default_factory=dict)
    """By batch and pack."""

    def secrets_of(self, epoch: int) -> list[tuple[bytes, SecretRecord]]:
        """Of each auditor of the epoch, ascending by its id."""
        return sorted((auditor, one) for (at, auditor), one in self.secrets.items() if at == epoch)


@rule(SPEC)
def records_are_of_storage(bundle: RecordBundle) -> ShownStorage:
    """Each statement is a set, seed, verdict, operator, secret or removal; no set and verdict alone may say that there is none.

    Raises:
        PredicateFailed: another record, or the absence of something else.
        MalformedInput: a value that is not the encoding of its record.
    """
    shown = ShownStorage()
    for statement in bundle.statements:
        key = statement.what.key if isinstance(statement.what, RecordKey) else b""
        reader = next((reader for prefix, reader in _READERS if key.startswith(prefix)), None)
        if reader is None:
            raise PredicateFailed("records_are_of_storage", "a record of something else", got=key)
        reader(shown, key, statement.value)
    return shown


def _about(key: bytes, prefix: bytes, *sizes: int) -> Sequence[bytes]:
    fields = Fields(key[len(prefix) :], "record.key")
    taken = [fields.take(size) for size in sizes]
    fields.end()
    return taken


def _present(key: bytes, value: bytes | None) -> bytes:
    if value is None:
        raise PredicateFailed("records_are_of_storage", "the hub has no such record", got=key)
    return value


def _of_operator(key: bytes, prefix: bytes) -> OfOperator:
    operator, epoch = _about(key, prefix, HASH_BYTES, _NUMBER_BYTES)
    return operator, int.from_bytes(epoch, "big")


def _read_set(shown: ShownStorage, key: bytes, value: bytes | None) -> None:
    shown.sets[_of_operator(key, keys.SET_PREFIX)] = None if value is None else decode_set_record(value)


def _read_verdict(shown: ShownStorage, key: bytes, value: bytes | None) -> None:
    shown.verdicts[_of_operator(key, keys.VERDICT_PREFIX)] = None if value is None else decode_verdict_record(value)


def _read_seed(shown: ShownStorage, key: bytes, value: bytes | None) -> None:
    (epoch,) = _about(key, keys.SEED_PREFIX, _NUMBER_BYTES)
    shown.seeds[int.from_bytes(epoch, "big")] = decode_seed_record(_present(key, value))


def _read_operator(shown: ShownStorage, key: bytes, value: bytes | None) -> None:
    (operator,) = _about(key, keys.OPERATOR_PREFIX, HASH_BYTES)
    shown.operators[operator] = decode_operator_record(_present(key, value))


def _read_secret(shown: ShownStorage, key: bytes, value: bytes | None) -> None:
    epoch, auditor = _about(key, keys.SECRET_PREFIX, _NUMBER_BYTES, HASH_BYTES)
    shown.secrets[int.from_bytes(epoch, "big"), auditor] = decode_secret_record(_present(key, value))


def _read_removal(shown: ShownStorage, key: bytes, value: bytes | None) -> None:
    batch, pack = _about(key, keys.REMOVAL_PREFIX, _NUMBER_BYTES, HASH_BYTES)
    shown.removals[int.from_bytes(batch, "big"), pack] = decode_removal_record(_present(key, value))


_Reader = Callable[[ShownStorage, bytes, bytes | None], None]
_READERS: Final[tuple[tuple[bytes, _Reader], ...]] = (
    (keys.SET_PREFIX, _read_set),
    (keys.SEED_PREFIX, _read_seed),
    (keys.VERDICT_PREFIX, _read_verdict),
    (keys.OPERATOR_PREFIX, _read_operator),
    (keys.SECRET_PREFIX, _read_secret),
    (keys.REMOVAL_PREFIX, _read_removal),
)


@rule(SPEC)
def absence_is_of_a_drawn_epoch(shown: ShownStorage) -> None:
    """That an operator was not asked is shown under a header at which the epoch's seed stood: sets are cut before.

    Raises:
        PredicateFailed: the seed is not shown beside it, so that the set may have come later.
    """
    for operator, epoch in (of for of, one in shown.sets.items() if one is None):
        if epoch not in shown.seeds:
            raise PredicateFailed("absence_is_of_a_drawn_epoch", "no seed is shown of the epoch", got=operator)


@rule(SPEC)
def secrets_make_the_seed(
    hub: bytes, epoch: int, seed: SeedRecord, secrets: Sequence[tuple[bytes, SecretRecord]]
) -> None:
    """Header and secrets of all auditors who committed give the seed, and so many revealed as it says.

    Raises:
        PredicateFailed: another seed, other numbers, or a secret that is not the committed one.
        MalformedInput: more auditors than there may be.
    """
    committed = [Auditor(auditor, one.commitment) for auditor, one in secrets]
    revealed = [one.secret if one.state is SecretState.REVEALED else None for _, one in secrets]
    found = epoch_seed(hub, epoch, seed.header, committed, revealed)
    said = (seed.seed, seed.reveals, seed.auditors)
    if (found.value, found.reveals, found.auditors) != said:
        raise PredicateFailed("secrets_make_the_seed", "secrets give another seed", got=found.value, expected=seed.seed)
