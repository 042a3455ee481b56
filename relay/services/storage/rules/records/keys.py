"""Keys of storage records in the hub's state (docs/spec/storage-records.md). Operators and packs are named by 32 bytes."""

from typing import Final

from hutong.relay.services.identity.rules.records.encoding import check_bytes, check_number

SPEC: Final = "docs/spec/storage-records.md"
STORAGE_PREFIX: Final = b"storage/"
SET_PREFIX: Final = b"storage/set/"
SEED_PREFIX: Final = b"storage/seed/"
VERDICT_PREFIX: Final = b"storage/verdict/"
REMOVAL_PREFIX: Final = b"storage/removal/"
HOLD_PREFIX: Final = b"storage/hold/"
OPERATOR_PREFIX: Final = b"storage/operator/"
PARTY_PREFIX: Final = b"storage/party/"
PARTIES_PREFIX: Final = b"storage/parties/"
MAP_PREFIX: Final = b"storage/map/"
BATCH_PREFIX: Final = b"storage/batch/"
SEQUENCE_PREFIX: Final = b"storage/sequence/"
LOG_PREFIX: Final = b"storage/log/"
SECRET_PREFIX: Final = b"storage/secret/"
SEEN_PREFIX: Final = b"storage/seen/"
ANSWERED_PREFIX: Final = b"storage/answered/"
LEDGER_PREFIX: Final = b"storage/ledger/"
PARAMETERS_KEY: Final = b"storage/parameters"
CLOCK_KEY: Final = b"storage/clock"
MAPS_KEY: Final = b"storage/maps"
"""BE8 of the newest map's number; absent before the first."""
BATCHES_KEY: Final = b"storage/batches"
"""BE8 of how many batches there are, which is the number of the next."""
ROSTER_KEY: Final = b"storage/roster"
"""Ids of all operators that have not left, ascending, one after the other."""


def _number(field: str, number: int) -> bytes:
    check_number(f"storage.{field}", number)
    return number.to_bytes(8, "big")


def _epoch(epoch: int) -> bytes:
    return _number("epoch", epoch)


def _name(field: str, name: bytes) -> bytes:
    check_bytes(f"storage.{field}", name)
    return name


def set_key(operator: bytes, epoch: int) -> bytes:
    """Holds the `SetRecord`: what the operator is asked about in the epoch."""
    return SET_PREFIX + _name("operator", operator) + _epoch(epoch)


def seed_key(epoch: int) -> bytes:
    """Holds the `SeedRecord`."""
    return SEED_PREFIX + _epoch(epoch)


def verdict_key(operator: bytes, epoch: int) -> bytes:
    """Holds the `VerdictRecord`."""
    return VERDICT_PREFIX + _name("operator", operator) + _epoch(epoch)


def removal_key(batch: int, pack: bytes) -> bytes:
    """Holds the `RemovalRecord`: which shards of the pack, as entries of this batch, were removed."""
    return REMOVAL_PREFIX + _number("batch", batch) + _name("pack", pack)


def hold_key(pack: bytes) -> bytes:
    """Holds the `HoldRecord`: until when the pack is retained beyond what its entries say."""
    return HOLD_PREFIX + _name("pack", pack)


def operator_key(operator: bytes) -> bytes:
    """Holds the `OperatorRecord`."""
    return OPERATOR_PREFIX + _name("operator", operator)


def party_key(role: int, party: bytes) -> bytes:
    """Holds the `PartyRecord` of one who is named for a role; absent for whoever is not."""
    check_number("storage.role", role, most=255)
    return PARTY_PREFIX + bytes([role]) + _name("party", party)


def parties_key(role: int) -> bytes:
    """Holds BE8 of how many are named for a role."""
    check_number("storage.role", role, most=255)
    return PARTIES_PREFIX + bytes([role])


def map_key(number: int) -> bytes:
    """Holds the `MapRecord`: who may be given shards."""
    return MAP_PREFIX + _number("map", number)


def batch_key(number: int) -> bytes:
    """Holds the `BatchRecord`."""
    return BATCH_PREFIX + _number("batch", number)


def sequence_key(writer: bytes, sequence: int) -> bytes:
    """Holds BE8 of the number on the hub of the writer's batch `sequence`."""
    return SEQUENCE_PREFIX + _name("writer", writer) + _number("sequence", sequence)


def log_key(operator: bytes) -> bytes:
    """Holds the `LogRecord`: the operator's log as it stands."""
    return LOG_PREFIX + _name("operator", operator)


def secret_key(epoch: int, auditor: bytes) -> bytes:
    """Holds the `SecretRecord`."""
    return SECRET_PREFIX + _epoch(epoch) + _name("auditor", auditor)


def seen_key(hashed: bytes) -> bytes:
    """Holds BE8 of the epoch in which the secret with this SHA-256 became public."""
    return SEEN_PREFIX + _name("secret", hashed)


def answered_key(operator: bytes) -> bytes:
    """Holds the `AnsweredRecord`: how far the operator is in its newest audit."""
    return ANSWERED_PREFIX + _name("operator", operator)


def ledger_key(operator: bytes) -> bytes:
    """Holds the `LedgerRecord`."""
    return LEDGER_PREFIX + _name("operator", operator)
