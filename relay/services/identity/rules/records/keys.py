"""Keys of identity records in the hub's state (docs/spec/identity-records.md). A DID is named by its 32 bytes."""

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import ADDRESS_BYTES, HASH_BYTES, check_bytes, check_number

IDENTITY_PREFIX = b"identity/"
DID_PREFIX = b"identity/did/"
POLICY_PREFIX = b"identity/policy/"
KEY_PREFIX = b"identity/key/"
ACCREDITATION_PREFIX = b"identity/accreditation/"
SCHEMA_PREFIX = b"identity/schema/"
LIST_PREFIX = b"identity/list/"
LOG_PREFIX = b"identity/log/"
EPOCH_PREFIX = b"identity/epoch/"
SHARD_PREFIX = b"identity/shard/"
RECOVERY_PREFIX = b"identity/recovery/"
PARAMETERS_KEY = b"identity/parameters"

DID_DOMAIN = b"hutong/identity/did/1"
ANY_SCHEMA = bytes(HASH_BYTES)
"""In place of a schema's hash: every schema."""
MAX_HUB_NAME_BYTES = 64


def hub_name(chain_id: str) -> str:
    """What DIDs of a hub name it by: its chain id without the revision, `hutong` of `hutong-1`."""
    name, dash, _ = chain_id.rpartition("-")
    return name if dash else chain_id


def did_id(name: str, registrar: bytes, salt: bytes) -> bytes:
    """The 32 bytes of a DID that the account `registrar` registers with a random salt.

    Nobody else can register it, so that it may be accredited, and told to others, before it is registered.

    Raises:
        MalformedInput: a name of no or too many bytes, an account or salt of another length.
    """
    raw = name.encode()
    if not 1 <= len(raw) <= MAX_HUB_NAME_BYTES:
        raise MalformedInput("did.hub", f"a name of 1 to {MAX_HUB_NAME_BYTES} bytes", got=len(raw))
    check_bytes("did.registrar", registrar, ADDRESS_BYTES)
    check_bytes("did.salt", salt)
    return sha256(DID_DOMAIN + bytes([len(raw)]) + raw + registrar + salt)


def _of(prefix: bytes, *parts: bytes) -> bytes:
    for part in parts:
        check_bytes(prefix.decode() + "…", part)
    return prefix + b"".join(parts)


def _number(value: int) -> bytes:
    check_number("identity.number", value)
    return value.to_bytes(8, "big")


def did_key(did: bytes) -> bytes:
    """Holds the `DidRecord`."""
    return _of(DID_PREFIX, did)


def policy_key(did: bytes) -> bytes:
    """Holds the `PolicyRecord`: who controls the DID, and who may recover it."""
    return _of(POLICY_PREFIX, did)


def key_prefix(did: bytes) -> bytes:
    """Before all keys of a DID; a thumbprint of 32 bytes follows."""
    return _of(KEY_PREFIX, did)


def key_key(did: bytes, thumbprint: bytes) -> bytes:
    """Holds the `KeyRecord` of the key with this RFC 7638 thumbprint."""
    return _of(KEY_PREFIX, did, thumbprint)


def accreditation_prefix(subject: bytes) -> bytes:
    """Before all accreditations of a subject; a schema's hash of 32 bytes follows."""
    return _of(ACCREDITATION_PREFIX, subject)


def accreditation_key(subject: bytes, schema: bytes) -> bytes:
    """Holds the `AccreditationRecord` of a subject for a schema, or for all with `ANY_SCHEMA`."""
    return _of(ACCREDITATION_PREFIX, subject, schema)


def schema_key(schema: bytes) -> bytes:
    """Holds the `SchemaRecord` of the schema with this SHA-256."""
    return _of(SCHEMA_PREFIX, schema)


def list_prefix(issuer: bytes) -> bytes:
    """Before all status lists of an issuer; a number of 8 bytes follows."""
    return _of(LIST_PREFIX, issuer)


def list_key(issuer: bytes, number: int) -> bytes:
    """Holds the `ListRecord` of an issuer's status list; lists are counted from 0."""
    return _of(LIST_PREFIX, issuer) + _number(number)


def log_key(issuer: bytes) -> bytes:
    """Holds the `LogRecord`: root and size of the issuance log."""
    return _of(LOG_PREFIX, issuer)


def epoch_key(issuer: bytes) -> bytes:
    """Holds the `EpochRecord`."""
    return _of(EPOCH_PREFIX, issuer)


def shard_key(registrar: bytes, number: int) -> bytes:
    """Holds the `ShardRecord` of a registrar of persons; shards are counted from 0."""
    return _of(SHARD_PREFIX, registrar) + _number(number)


def person_recovery_key(registrar: bytes, shard: int, index: int) -> bytes:
    """Holds the `PersonRecoveryRecord` of a person while a recovery waits, and until its approvals have expired."""
    return _of(b"identity/person-recovery/", registrar) + _number(shard) + _number(index)


def person_recoveries_key(registrar: bytes, by: int) -> bytes:
    """Holds BE8 of how many recoveries of a registrar's persons stand that guardians (1) or the registrar (2) began."""
    return _of(b"identity/person-recoveries/", registrar) + _number(by)


def recovery_key(did: bytes) -> bytes:
    """Holds the `RecoveryRecord` while a recovery waits."""
    return _of(RECOVERY_PREFIX, did)


def checkpoint_prefix(issuer: bytes) -> bytes:
    """Before the earlier roots of an issuer's log."""
    return _of(b"identity/checkpoint/", issuer)


def checkpoint_key(issuer: bytes, time_s: int) -> bytes:
    """Holds the `LogRecord` after the last block of this second that appended to the log."""
    return checkpoint_prefix(issuer) + _number(time_s)


def checkpoint_count_key(issuer: bytes) -> bytes:
    """Holds BE8 of how many earlier roots are kept."""
    return _of(b"identity/checkpoints/", issuer)


def set_back_prefix(issuer: bytes) -> bytes:
    """Before the seconds in which an issuer's log was set back."""
    return _of(b"identity/checkpoint-back/", issuer)


def set_back_key(issuer: bytes, time_s: int) -> bytes:
    """Holds BE8 of the second from which on what was logged before `time_s` was taken back in `time_s`."""
    return set_back_prefix(issuer) + _number(time_s)


def bound_key(issuer: bytes, thumbprint: bytes) -> bytes:
    """Holds BE8 of each open list that is bound to a key, in ascending order; absent for none."""
    return _of(b"identity/bound/", issuer, thumbprint)


STRANGER_COUNT_KEY = b"identity/strangers"
"""Holds BE8 of how many DIDs are in the lane of strangers; absent for none."""
STRANGER_QUEUE_PREFIX = b"identity/stranger/queue/"


def stranger_queue_key(expires_s: int, did: bytes) -> bytes:
    """Present for each DID in the lane of strangers, the first that expires first."""
    return STRANGER_QUEUE_PREFIX + _number(expires_s) + _of(b"", did)


def stranger_key(did: bytes) -> bytes:
    """Holds BE8 of when a DID in the lane of strangers may be evicted, in Unix seconds."""
    return _of(b"identity/stranger/of/", did)
