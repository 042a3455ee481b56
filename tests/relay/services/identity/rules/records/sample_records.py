"""The records and keys whose bytes docs/spec/identity-records.md states."""

from hutong.relay.services.identity.rules.organisations.approvals import Operation
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    GOVERNANCE,
    AccreditationRecord,
    AccreditationState,
    Grant,
    decode_accreditation_record,
    encode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import (
    Counts,
    DidRecord,
    DidState,
    Document,
    Moment,
    decode_did_record,
    encode_did_record,
)
from hutong.relay.services.identity.rules.records.epoch_record import (
    EpochRecord,
    decode_epoch_record,
    encode_epoch_record,
)
from hutong.relay.services.identity.rules.records.key_record import (
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyState,
    KeyUse,
    PublicKey,
    decode_key_record,
    encode_key_record,
)
from hutong.relay.services.identity.rules.records.list_record import (
    ListBinding,
    ListRecord,
    decode_list_record,
    encode_list_record,
)
from hutong.relay.services.identity.rules.records.log_record import (
    Issuance,
    LogEntry,
    LogRecord,
    decode_log_entry,
    decode_log_record,
    encode_log_entry,
    encode_log_record,
)
from hutong.relay.services.identity.rules.records.parameters import DEFAULTS, decode_parameters, encode_parameters
from hutong.relay.services.identity.rules.records.policy_record import (
    Controllers,
    Guardians,
    PolicyRecord,
    decode_policy_record,
    encode_policy_record,
    policy_commitment,
)
from hutong.relay.services.identity.rules.records.recovery_record import (
    RecoveryRecord,
    decode_recovery_record,
    encode_recovery_record,
)
from hutong.relay.services.identity.rules.records.schema_record import (
    SchemaRecord,
    decode_schema_record,
    encode_schema_record,
)
from hutong.relay.services.identity.rules.records.shard_record import (
    ShardRecord,
    decode_shard_record,
    encode_shard_record,
)
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape


def filled(byte: int, size: int = 32) -> bytes:
    return bytes([byte]) * size


REGISTRAR, SALT = filled(0x22, 20), filled(0x33)
DID = keys.did_id("hutong", REGISTRAR, SALT)
SCHEMA, THUMBPRINT = filled(0x44), filled(0x55)
AT, LATER = Moment(7, 1_700_000_000), Moment(9, 1_700_000_002)

P256 = PublicKey(
    KeyAlgorithm.ES256,
    bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
    bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
)
"""The generator of the curve, as are the next two of theirs (SP 800-186; SEC 2; RFC 8032; RFC 7748)."""
SECP256K1 = PublicKey(
    KeyAlgorithm.ES256K,
    bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    bytes.fromhex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
)
ED25519 = PublicKey(
    KeyAlgorithm.EDDSA, bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
)
"""RFC 8037, A.3 gives its thumbprint."""
X25519 = PublicKey(KeyAlgorithm.X25519, (9).to_bytes(32, "little"))
SM2 = PublicKey(
    KeyAlgorithm.SM2,
    bytes.fromhex("32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"),
    bytes.fromhex("bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"),
)
"""The generator of GB/T 32918.5."""
SM2_SMALL = PublicKey(
    KeyAlgorithm.SM2,
    bytes.fromhex("0000000000000000000000000000000000000000000000000000000000000001"),
    bytes.fromhex("9f7a091433a81e3f218f405f792355bf2aa98b5ffa95982f03870800065279a3"),
)
"""A point of the same curve with a small x."""
GENERATOR_ACCOUNT = bytes.fromhex("7e5f4552091a69125d5dfcb7b8c2659029395bdf")

KEYS = {
    "did": keys.did_key(DID),
    "policy": keys.policy_key(DID),
    "key 55…55": keys.key_key(DID, THUMBPRINT),
    "accreditation for schema 44…44": keys.accreditation_key(DID, SCHEMA),
    "accreditation for all schemas": keys.accreditation_key(DID, keys.ANY_SCHEMA),
    "schema 44…44": keys.schema_key(SCHEMA),
    "list 3": keys.list_key(DID, 3),
    "log": keys.log_key(DID),
    "epoch": keys.epoch_key(DID),
    "shard 1": keys.shard_key(DID, 1),
    "recovery": keys.recovery_key(DID),
    "parameters": keys.PARAMETERS_KEY,
}

POLICY = PolicyRecord(
    Controllers(2, (filled(0x01, 20), filled(0x02, 20), filled(0x03, 20)), filled(0x66)),
    Guardians(1, (filled(0x0A, 20), filled(0x0B, 20)), 86_400),
)

RECORDS = {
    "did, active, two keys": (
        DidRecord(Document(filled(0x11)), DidState.ACTIVE, 3, Counts(2, 1, 4, 1, 5), AT, LATER),
        encode_did_record,
        decode_did_record,
    ),
    "did, deactivated, of a did:webvh": (
        DidRecord(Document(bytes(32), 12, filled(0x12)), DidState.DEACTIVATED, 9, Counts(1, 0), AT, LATER),
        encode_did_record,
        decode_did_record,
    ),
    "policy, 2 of 3, 1 of 2 guardians, a day": (POLICY, encode_policy_record, decode_policy_record),
    "policy, one controller": (
        PolicyRecord(Controllers(1, (filled(0x01, 20),))),
        encode_policy_record,
        decode_policy_record,
    ),
    "key, ES256, signing and presentation": (
        KeyRecord(
            P256,
            bytes(20),
            KeyUse(KeyPurpose.SIGNING | KeyPurpose.PRESENTATION, AT.time_s, x5t_s256=filled(0x77)),
            KeyEnd(),
            1,
            AT,
        ),
        encode_key_record,
        decode_key_record,
    ),
    "key, ES256K, contract, compromised": (
        KeyRecord(
            SECP256K1,
            GENERATOR_ACCOUNT,
            KeyUse(KeyPurpose.CONTRACT, AT.time_s, AT.time_s + 1_000, next_thumbprint=filled(0x88)),
            KeyEnd(KeyState.COMPROMISED, AT.time_s + 1, 12, filled(0x99)),
            0,
            AT,
        ),
        encode_key_record,
        decode_key_record,
    ),
    "key, SM2, signing": (
        KeyRecord(SM2, bytes(20), KeyUse(KeyPurpose.SIGNING, AT.time_s), KeyEnd(), 0, AT),
        encode_key_record,
        decode_key_record,
    ),
    "accreditation, root, depth 4": (
        AccreditationRecord(
            Grant(GOVERNANCE, keys.ANY_SCHEMA, 4, AT.time_s, AT.time_s + 86_400), AccreditationState.ACTIVE, AT
        ),
        encode_accreditation_record,
        decode_accreditation_record,
    ),
    "accreditation, revoked": (
        AccreditationRecord(
            Grant(filled(0xAA), SCHEMA, 0, AT.time_s, AT.time_s + 86_400), AccreditationState.REVOKED, AT, LATER.time_s
        ),
        encode_accreditation_record,
        decode_accreditation_record,
    ),
    "schema": (SchemaRecord(DID, AT), encode_schema_record, decode_schema_record),
    "list, 1 bit, 1048576 entries, sealed": (
        ListRecord(
            filled(0xBB),
            TreeShape(1, 2**20),
            ListBinding(THUMBPRINT, SCHEMA, filled(0x56)),
            AT.time_s,
            LATER.time_s,
            filled(0xCC),
            2,
            LATER,
        ),
        encode_list_record,
        decode_list_record,
    ),
    "log, 3 entries": (LogRecord(filled(0xDD), 3, LATER), encode_log_record, decode_log_record),
    "log entry, of a credential alone": (
        LogEntry(3, 40, Issuance(THUMBPRINT, filled(0xED))),
        encode_log_entry,
        decode_log_entry,
    ),
    "log entry, of a credential and its seal": (
        LogEntry(3, 41, Issuance(THUMBPRINT, filled(0xEE)), Issuance(filled(0x56), filled(0xEF))),
        encode_log_entry,
        decode_log_entry,
    ),
    "epoch 2": (EpochRecord(2, LATER), encode_epoch_record, decode_epoch_record),
    "shard, 1000 leaves": (ShardRecord(filled(0xAB), 1_000, 2, LATER), encode_shard_record, decode_shard_record),
    "recovery": (
        RecoveryRecord(POLICY, LATER.time_s + 86_400, LATER),
        encode_recovery_record,
        decode_recovery_record,
    ),
    "parameters, default": (DEFAULTS, encode_parameters, decode_parameters),
}
"""(record, encode, decode) by what it is."""

OPERATION = Operation(DID, AT.height, 3, filled(0xFE))
COMMITMENT = policy_commitment(2, POLICY.controllers.accounts, SALT)
