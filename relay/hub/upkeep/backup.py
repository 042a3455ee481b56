"""Backing up a home while its node runs, and restoring one without ever letting a key sign twice.

The record in a backup is as old as the backup: the key may have signed since. So a restored key signs only from a record that
its owner says is the newest, or above a height that its owner names, and never below what the backup itself has seen.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import lmdb

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.base.durable_files import durable_file, write_durably
from hutong.relay.evm.store.lmdb_store import LmdbStore, StoreFull
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.application.genesis import Genesis, UnfitRuntime, check_runtime, decode_genesis
from hutong.relay.hub.chain.block_records import BLOCKS
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.engine.block_sync import verify_commit
from hutong.relay.hub.engine.signing_record import FLOOR_ROUND, floor_record, newest_own_signature
from hutong.relay.hub.home.home import (
    DATABASE_DIRECTORY,
    GENESIS_FILE,
    LAST_SIGNED_FILE,
    REMOTE_KEY_FILE,
    VALIDATOR_KEY_FILE,
    UnusableHome,
    load_genesis,
    validator_key,
)
from hutong.relay.hub.home.key_file import (
    PLAIN,
    EncodeKey,
    KeyFile,
    key_is_remote,
    new_secret,
    parse_key_file,
    read_key_file,
)
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed
from hutong.relay.hub.home.process import MAP_BYTES
from hutong.relay.hub.joining.state_sync import restoration_is_unfinished
from hutong.relay.hub.state import StateDamaged
from hutong.relay.hub.upkeep.backup_file import BackupHead, BackupReader, BackupTail, write_backup

UNFINISHED_DIRECTORY = "data.restoring"
_ROWS_IN_BATCH = 8_192


class BackupRefused(Exception):
    """Nothing was made or restored: one sentence."""


@dataclass(frozen=True, slots=True)
class SigningFrom:
    """What the owner says about a restored key's past: one of both."""

    record: LastSigned | None = None
    above: int | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    height: int
    address: bytes
    signs_above: int
    """0 for a new key."""


def make_backup(home: Path, to: Path, *, with_key: bool) -> tuple[int, int]:
    """Write the database, the genesis and the last-signed record of `home` into the new file `to`.

    The node may run: the rows are of one moment, and the record is read after them, so it is never older than they are.

    Args:
        with_key: the key file goes into the backup too, encrypted or not as it is.

    Returns:
        The height of the newest block in the backup, 0 where there is none, and the number of its rows.

    Raises:
        BackupRefused: `to` exists, the home is under CometBFT, half restored, or a file cannot be read or written.
        UnusableHome: the genesis cannot be used, or the key where it was asked for.
    """
    load_genesis(home)
    if (home / "cometbft").is_dir():
        raise BackupRefused(
            f"{home} is of a hub under CometBFT, whose block store is not this program's: not supported"
        )
    if to.exists():
        raise BackupRefused(f"{to} exists")
    genesis = _read(home / GENESIS_FILE)
    secret = read_key_file(home / VALIDATOR_KEY_FILE).data if with_key else b""
    try:
        store = LmdbStore(home / DATABASE_DIRECTORY, map_bytes=MAP_BYTES, read_only=True)
    except (lmdb.Error, OSError) as error:
        raise BackupRefused(f"{home / DATABASE_DIRECTORY}: cannot be opened ({error})") from error
    try:
        if restoration_is_unfinished(store):
            raise BackupRefused(f"{home}: a snapshot is half restored here; run `hutong hub join` again")
        height = 0

        def rows() -> Iterator[tuple[bytes, bytes]]:
            nonlocal height
            for key, value in store.items():
                if key.startswith(BLOCKS):
                    height = int.from_bytes(key[len(BLOCKS) :], "big")
                yield key, value

        def tail_of(rows: int) -> BackupTail:
            # The record of a key that is with a signer of ours is there too, and moves with the key.
            remote = key_is_remote(home) and not (home / LAST_SIGNED_FILE).exists()
            record = encode_last_signed(LastSigned()) if remote else _read(home / LAST_SIGNED_FILE)
            return BackupTail(rows, record)

        with durable_file(to) as file:
            tail = write_backup(file, BackupHead(genesis, secret), rows(), tail_of)
    except OSError as error:
        raise BackupRefused(f"{to}: {error.strerror or error}") from error
    finally:
        store.close()
    return height, tail.rows


def restore_backup(
    home: Path,
    source: Path,
    genesis: Genesis | None,
    key: KeyFile | None,
    signing: SigningFrom,
    encode_key: EncodeKey = PLAIN,
) -> Restored:
    """Fill a new home from the backup at `source`; the chain in it is verified before the home can be used.

    An interruption leaves a home without genesis, which no command takes and the next call fills anew.

    Args:
        genesis: must be the backup's; None takes the backup's.
        key: must be the backup's where that has one; None takes the backup's, or makes a new one.
        signing: what the owner says of the key's past; must be empty for a new key and given for any other.
        encode_key: for a new key alone. A key that was there stays as it is, encrypted or not.

    Raises:
        BackupRefused: the home is not new, the backup is cut, changed or of another hub, its chain does not hold, what
            `signing` says is older than what the backup shows that the key signed, or the disk is too small.
        UnusableHome: the new key cannot be encoded.
    """
    scratch, database = home / UNFINISHED_DIRECTORY, home / DATABASE_DIRECTORY
    interrupted = scratch.exists() and not (home / GENESIS_FILE).exists()
    for name in (GENESIS_FILE, DATABASE_DIRECTORY, VALIDATOR_KEY_FILE, LAST_SIGNED_FILE, REMOTE_KEY_FILE):
        if (home / name).exists() and not interrupted:
            raise BackupRefused(f"{home / name} exists: a backup is restored into a new home")
    try:
        _clear(home)
        (scratch / DATABASE_DIRECTORY).mkdir(parents=True)
        with source.open("rb") as file:
            reader = BackupReader(file)
            known = decode_genesis(reader.head.genesis)
            _check_genesis(known, genesis)
            key = _key_of(reader.head, key, signing)
            tail = _fill(scratch / DATABASE_DIRECTORY, reader)
        record, height = run_with_evm_stack(
            lambda: _check_chain(scratch / DATABASE_DIRECTORY, known, key, tail, signing)
        )
        if key is None:
            key = parse_key_file(home / VALIDATOR_KEY_FILE, encode_key(validator_key(new_secret())))
        write_durably(home / VALIDATOR_KEY_FILE, key.data)
        write_durably(home / LAST_SIGNED_FILE, encode_last_signed(record))
        (scratch / DATABASE_DIRECTORY).rename(database)
        write_durably(home / GENESIS_FILE, reader.head.genesis, mode=0o644)
    except OSError as error:
        raise BackupRefused(f"{error.filename or home}: {error.strerror or error}") from error
    except MalformedInput as error:
        raise BackupRefused(f"{source}: {error}") from error
    except StoreFull as error:
        raise BackupRefused(f"{error}; nothing was restored") from error
    except lmdb.Error as error:
        raise BackupRefused(f"{home}: the database cannot be written ({error})") from error
    finally:
        if not (home / GENESIS_FILE).exists():
            _clear(home)
        shutil.rmtree(scratch, ignore_errors=True)
    return Restored(height, key.public_key.address, record.height)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BackupRefused(f"{path}: {error.strerror or error}") from error


def _clear(home: Path) -> None:
    """What an interrupted restoration left. Its scratch directory, which marks it, goes last."""
    shutil.rmtree(home / DATABASE_DIRECTORY, ignore_errors=True)
    for name in (VALIDATOR_KEY_FILE, LAST_SIGNED_FILE):
        (home / name).unlink(missing_ok=True)
    shutil.rmtree(home / UNFINISHED_DIRECTORY, ignore_errors=True)


def _check_genesis(known: Genesis, wanted: Genesis | None) -> None:
    if wanted is not None and wanted.chain_id != known.chain_id:
        raise BackupRefused(f"the backup is of hub {known.chain_id}, the genesis given is of {wanted.chain_id}")
    if wanted is not None and wanted.digest != known.digest:
        raise BackupRefused(
            f"the backup is of genesis {known.digest.hex()[:16]}, the one given is {wanted.digest.hex()[:16]}, both of"
            f" {known.chain_id}"
        )
    try:
        check_runtime(known)
    except UnfitRuntime as error:
        raise BackupRefused(str(error)) from error


def _key_of(head: BackupHead, given: KeyFile | None, signing: SigningFrom) -> KeyFile | None:
    """None for a new key, which has signed nothing."""
    try:
        own = parse_key_file(Path("validator key of the backup"), head.validator_key) if head.validator_key else None
    except UnusableHome as error:
        raise BackupRefused(str(error)) from None
    if own is not None and given is not None and own.public_key != given.public_key:
        raise BackupRefused("the backup has another validator key than the one given")
    key = own if given is None else given
    told = signing.record is not None or signing.above is not None
    if key is None and told:
        raise BackupRefused(
            "--last-signed and --sign-above are about a key, and neither the backup nor --key gives one"
        )
    if key is not None and not told:
        raise BackupRefused(
            "this key may have signed since: give its newest last-signed record (--last-signed FILE, from the machine that"
            " last signed), or --sign-above HEIGHT, a height that it has certainly not signed above"
        )
    return key


def _fill(scratch: Path, reader: BackupReader) -> BackupTail:
    store = LmdbStore(scratch, map_bytes=MAP_BYTES)
    try:
        rows = reader.rows()
        while some := list(islice(rows, _ROWS_IN_BATCH)):
            _put(store, some)
    finally:
        store.close()
    assert reader.tail is not None
    return reader.tail


def _put(store: LmdbStore, rows: Iterable[tuple[bytes, bytes]]) -> None:
    with store.batch() as batch:
        for key, value in rows:
            batch.put(key, value)


def _check_chain(
    scratch: Path, genesis: Genesis, key: KeyFile | None, tail: BackupTail, signing: SigningFrom
) -> tuple[LastSigned, int]:
    store = LmdbStore(scratch, map_bytes=MAP_BYTES)
    try:
        ledger = HubLedger(store, genesis)
        height = ledger.tip.height
        stored = ledger.records.block(height)
        if stored is not None and ledger.tip.last_validators is not None:
            commit, validators = ledger.last_commit(), ledger.tip.last_validators
            verify_commit(genesis.chain_id, validators, stored.block, block_id_of(stored.block), commit)
        if key is None:
            return LastSigned(), height
        own = newest_own_signature(ledger.records, key.public_key.address, 0) or 0
        return _record(tail, signing, own), height
    except (ChainDamaged, StateDamaged, VerificationError) as error:
        raise BackupRefused(f"the chain in the backup does not hold: {error}") from error
    finally:
        store.close()


def _record(tail: BackupTail, signing: SigningFrom, own: int) -> LastSigned:
    """The record to sign from, which is never older than what the backup shows that the key signed."""
    try:
        kept = decode_last_signed(tail.last_signed)
    except ValueError as error:
        raise BackupRefused(f"the backup's last-signed record {error}") from error
    if signing.above is not None:
        least = max(kept.height, own)
        if signing.above < least:
            raise BackupRefused(f"--sign-above {signing.above}: the backup shows that this key signed height {least}")
        return replace(floor_record(signing.above), skip=kept.skip)
    record = signing.record
    assert record is not None
    if kept.skip is not None and (record.skip is None or record.skip.statement.height < kept.skip.statement.height):
        raise BackupRefused(
            f"the backup shows that this key signed the skip of {kept.skip.statement}, the last-signed record given does"
            " not: it is not the newest"
        )
    at, at_kept = (record.height, record.round), (kept.height, kept.round)
    if at < at_kept or record.height < own or (at == at_kept and not set(kept.signed) <= set(record.signed)):
        seen = max((kept.height, kept.round), (own, 0))
        raise BackupRefused(
            f"the last-signed record given ends at height {record.height} round {_round(record)}, the backup shows that"
            f" this key signed height {seen[0]} round {seen[1]}: it is not the newest"
        )
    return record


def _round(record: LastSigned) -> str:
    return "(none below)" if record.round == FLOOR_ROUND else str(record.round)
