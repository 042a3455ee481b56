"""Encoder of what `HubClient.sol` takes: headers, misbehaviour and proofs in ABI form (docs/spec/hub-client.md).

The ABI form leaves out what HubClient derives itself (validator addresses, commit addresses) and what no verifier reads
(proposer, priorities, signatures after the prefix of the commit rule). What would thereby be lost is checked here, and
what the form cannot say is refused, so that nothing turns valid by being encoded.
"""

from typing import Any

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput, UnsupportedOperation
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.proofs.ics23 import SMT_SPEC, ExistenceProof, NonExistenceProof, decode_merkle_proof
from hutong.light_clients.tendermint import predicates
from hutong.light_clients.tendermint.evidence import client_id_is_identifier
from hutong.light_clients.tendermint.types import (
    MAX_TIME_NS,
    TWO_THIRDS,
    BlockId,
    BlockIdFlag,
    ClientState,
    Commit,
    CommitSig,
    ConsensusState,
    Header,
    KeyType,
    Misbehaviour,
    TendermintHeader,
    TrustLevel,
    Validator,
    ValidatorSet,
)

MAX_UINT32 = 2**32 - 1
ADDRESS_BYTES = 20
SIGNATURE_BYTES = 64

HEIGHT_TUPLE = "(uint64,uint64)"
TIMESTAMP_TUPLE = "(uint64,uint32)"
BLOCK_ID_TUPLE = "(bytes32,uint32,bytes32)"
BLOCK_HEADER_TUPLE = (
    f"(uint64,uint64,string,uint64,{TIMESTAMP_TUPLE},{BLOCK_ID_TUPLE},"
    "bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,bytes20)"
)
COMMIT_TUPLE = f"(uint64,uint32,{BLOCK_ID_TUPLE},(uint8,{TIMESTAMP_TUPLE},bytes32,bytes32)[])"
VALIDATORS_TUPLE = "(uint256,uint256,uint64)[]"
HEADER_UPDATE_TUPLE = f"({HEIGHT_TUPLE},{BLOCK_HEADER_TUPLE},{COMMIT_TUPLE},{VALIDATORS_TUPLE},{VALIDATORS_TUPLE})"
MISBEHAVIOUR_TUPLE = f"({HEADER_UPDATE_TUPLE},{HEADER_UPDATE_TUPLE})"
EXISTENCE_TUPLE = "(bytes,bytes,uint256,bytes32[])"
NON_EXISTENCE_TUPLE = f"(bytes,bool,{EXISTENCE_TUPLE},bool,{EXISTENCE_TUPLE})"

_EMPTY_HASH = bytes(HASH_BYTES)
_UNREAD_ENTRY = ((0, 0), _EMPTY_HASH, _EMPTY_HASH)
_NO_EXISTENCE = (b"", b"", 0, ())
_INNER_PREFIX = b"\x01"


def encode_update(header: TendermintHeader, trust_level: TrustLevel = TWO_THIRDS) -> bytes:
    """`abi.encode(HeaderUpdate)`.

    `trust_level` is the client's or a higher one: it only decides after which signature the list is cut, and a longer
    list costs nothing but calldata.

    Raises:
        VerificationError: the header breaks a rule that the encoding cannot show, or has a value that it cannot hold.
    """
    return encode_abi([HEADER_UPDATE_TUPLE], [_header_update(header, trust_level, "header", adjacent_rule=True)])


def constructor_arguments(
    client: ClientState, state: ConsensusState
) -> tuple[tuple[Any, ...], tuple[int, bytes, bytes]]:
    """HubClient's constructor arguments (ClientState, ConsensusState) of a new client.

    Raises:
        VerificationError: a 07-tendermint state that HubClient cannot stand for.
    """
    if client.proof_specs != (SMT_SPEC,):
        raise MalformedInput("client_state.proof_specs", "must be the SMT specification alone")
    if not all(element.strip() for element in client.upgrade_path):
        raise MalformedInput("client_state.upgrade_path", "has a blank element")
    periods = {
        name: getattr(client, name) for name in ("trusting_period_ns", "unbonding_period_ns", "max_clock_drift_ns")
    }
    for name, period_ns in periods.items():
        if period_ns < 0 or period_ns % NANOSECONDS_PER_SECOND:
            raise MalformedInput(f"client_state.{name}", "is not whole seconds", got=period_ns)
    if not 0 <= state.timestamp_ns <= MAX_UINT64:
        raise MalformedInput("consensus_state.timestamp", "is not nanoseconds since 1970", got=state.timestamp_ns)
    for name in ("root", "next_validators_hash"):
        if len(getattr(state, name)) != HASH_BYTES:
            raise MalformedInput(f"consensus_state.{name}", "has 32 bytes", got=getattr(state, name))
    latest = client.latest_height
    client_fields = (
        client.chain_id,
        client.trust_level.numerator,
        client.trust_level.denominator,
        *(period_ns // NANOSECONDS_PER_SECOND for period_ns in periods.values()),
        (latest.revision_number, latest.revision_height),
        client.is_frozen,
    )
    return client_fields, (state.timestamp_ns, state.root, state.next_validators_hash)


def encode_misbehaviour(misbehaviour: Misbehaviour, trust_level: TrustLevel = TWO_THIRDS) -> bytes:
    """`abi.encode(Misbehaviour)`, both headers in full and in their order.

    Args:
        trust_level: as of `encode_update`.

    Raises:
        VerificationError: a header breaks a rule that the encoding cannot show, or has a value that it cannot hold, or
            the client id is not an identifier.
    """
    client_id_is_identifier(misbehaviour.client_id)
    header_1, header_2 = misbehaviour.header_1, misbehaviour.header_2
    fields = (
        _header_update(header_1, trust_level, "misbehaviour.header_1", adjacent_rule=False),
        _header_update(header_2, trust_level, "misbehaviour.header_2", adjacent_rule=False),
    )
    return encode_abi([MISBEHAVIOUR_TUPLE], [fields])


def encode_membership_proof(proof: bytes) -> bytes:
    """`abi.encode(ExistenceProof)` of a MerkleProof with one SMT existence proof.

    Raises:
        VerificationError: malformed, of another kind, or with operations that are not the SMT specification's.
    """
    single = _single(proof)
    if not isinstance(single, ExistenceProof):
        raise MalformedInput("proof.proofs[0]", "proves absence where membership is asked")
    return encode_abi([EXISTENCE_TUPLE], [_existence(single, "proof.proofs[0]")])


def encode_non_membership_proof(proof: bytes) -> bytes:
    """`abi.encode(NonExistenceProof)` of a MerkleProof with one SMT non-existence proof.

    Raises:
        VerificationError: malformed, of another kind, or with operations that are not the SMT specification's.
    """
    single = _single(proof)
    if not isinstance(single, NonExistenceProof):
        raise MalformedInput("proof.proofs[0]", "proves membership where absence is asked")
    left, right = (
        _NO_EXISTENCE if side is None else _existence(side, f"proof.proofs[0].{name}")
        for name, side in (("left", single.left), ("right", single.right))
    )
    fields = (single.key, single.left is not None, left, single.right is not None, right)
    return encode_abi([NON_EXISTENCE_TUPLE], [fields])


def _single(proof: bytes) -> ExistenceProof | NonExistenceProof:
    proofs = decode_merkle_proof(proof)
    if len(proofs) != 1:
        raise MalformedInput("proof.proofs", "the hub has one tree", got=len(proofs), expected=1)
    return proofs[0]


def _existence(proof: ExistenceProof, field: str) -> tuple[Any, ...]:
    """(key, value, right bits, siblings): all that an SMT proof may choose."""
    if proof.leaf != SMT_SPEC.leaf_spec:
        raise MalformedInput(f"{field}.leaf", "is not the SMT leaf", got=proof.leaf.prefix)
    right_bits = 0
    siblings = []
    for step, op in enumerate(proof.path):
        if op.hash != SMT_SPEC.inner_spec.hash or not op.prefix.startswith(_INNER_PREFIX):
            raise MalformedInput(f"{field}.path[{step}]", "is not an SMT inner node", got=op.prefix)
        beside = op.prefix[len(_INNER_PREFIX) :]
        if len(beside) == HASH_BYTES and not op.suffix:
            right_bits |= 1 << step
            siblings.append(beside)
        elif not beside and len(op.suffix) == HASH_BYTES:
            siblings.append(op.suffix)
        else:
            raise MalformedInput(f"{field}.path[{step}]", "an SMT node has one sibling", got=op.prefix + op.suffix)
    return proof.key, proof.value, right_bits, tuple(siblings)


def _header_update(
    header: TendermintHeader, trust_level: TrustLevel, field: str, *, adjacent_rule: bool
) -> tuple[Any, ...]:
    signed = header.signed_header
    own, trusted = header.validator_set, header.trusted_validators
    for validator_set in (own, trusted):
        predicates.validator_set_is_sound(validator_set)
    predicates.one_entry_a_validator(signed.commit, own)
    adjacent = adjacent_rule and signed.header.height == header.trusted_height.revision_height + 1
    count = _entries_read(signed.commit, own, None if adjacent else trusted, trust_level)
    validators = _validators(own, f"{field}.validator_set")
    trusted_validators = _validators(trusted, f"{field}.trusted_validators")
    return (
        (header.trusted_height.revision_number, header.trusted_height.revision_height),
        _block_header(signed.header, f"{field}.signed_header.header"),
        _commit(signed.commit, own, count, f"{field}.signed_header.commit"),
        validators,
        () if trusted_validators == validators else trusted_validators,
    )


def _entries_read(commit: Commit, own: ValidatorSet, trusted: ValidatorSet | None, trust_level: TrustLevel) -> int:
    """How many entries the commit rule reads for both thresholds; all where one is not reached."""
    own_needed = TWO_THIRDS.power_needed(own.total_voting_power)
    trusted_needed = 0 if trusted is None else trust_level.power_needed(trusted.total_voting_power)
    trusted_powers = {} if trusted is None else {v.public_key: v.voting_power for v in trusted.validators}
    own_power = trusted_power = 0
    for index, (entry, validator) in enumerate(zip(commit.signatures, own.validators, strict=True)):
        if entry.block_id_flag is BlockIdFlag.COMMIT:
            own_power += validator.voting_power
            trusted_power += trusted_powers.get(validator.public_key, 0)
        if own_power > own_needed and (trusted is None or trusted_power > trusted_needed):
            return index + 1
    return len(commit.signatures)


def _commit(commit: Commit, own: ValidatorSet, count: int, field: str) -> tuple[Any, ...]:
    entries = tuple(
        _entry(entry, validator, f"{field}.signatures[{index}]")
        for index, (entry, validator) in enumerate(zip(commit.signatures[:count], own.validators[:count], strict=True))
    )
    return (
        _uint(commit.height, MAX_UINT64, f"{field}.height"),
        _uint(commit.round, MAX_UINT32, f"{field}.round"),
        _block_id(commit.block_id, f"{field}.block_id"),
        entries,
    )


def _entry(entry: CommitSig, validator: Validator, field: str) -> tuple[Any, ...]:
    if entry.block_id_flag is not BlockIdFlag.COMMIT:
        return (int(entry.block_id_flag), *_UNREAD_ENTRY)
    if entry.validator_address != validator.address:
        raise MalformedInput(
            f"{field}.validator_address", "names another validator", entry.validator_address, validator.address
        )
    if len(entry.signature) != SIGNATURE_BYTES:
        raise MalformedInput(f"{field}.signature", "a secp256k1 signature has 64 bytes", got=entry.signature)
    time = _timestamp(entry.timestamp_ns, f"{field}.timestamp")
    return int(entry.block_id_flag), time, entry.signature[:HASH_BYTES], entry.signature[HASH_BYTES:]


def _block_header(header: Header, field: str) -> tuple[Any, ...]:
    if len(header.proposer_address) != ADDRESS_BYTES:
        raise MalformedInput(f"{field}.proposer_address", "has 20 bytes", got=header.proposer_address)
    return (
        _uint(header.version_block, MAX_UINT64, f"{field}.version.block"),
        _uint(header.version_app, MAX_UINT64, f"{field}.version.app"),
        header.chain_id,
        _uint(header.height, MAX_UINT64, f"{field}.height"),
        _timestamp(header.time_ns, f"{field}.time"),
        _block_id(header.last_block_id, f"{field}.last_block_id"),
        *(
            _hash(getattr(header, name), f"{field}.{name}")
            for name in (
                "last_commit_hash",
                "data_hash",
                "validators_hash",
                "next_validators_hash",
                "consensus_hash",
                "app_hash",
                "last_results_hash",
                "evidence_hash",
            )
        ),
        header.proposer_address,
    )


def _block_id(block_id: BlockId, field: str) -> tuple[bytes, int, bytes]:
    return (
        _hash(block_id.hash, f"{field}.hash"),
        _uint(block_id.part_set_header.total, MAX_UINT32, f"{field}.part_set_header.total"),
        _hash(block_id.part_set_header.hash, f"{field}.part_set_header.hash"),
    )


def _validators(validator_set: ValidatorSet, field: str) -> tuple[tuple[int, int, int], ...]:
    """Uncompressed keys; the contract checks the curve equation and hashes x with the parity of y."""
    rows = []
    for index, validator in enumerate(validator_set.validators):
        if validator.public_key.key_type is not KeyType.SECP256K1:
            raise UnsupportedOperation(f"{validator.public_key.key_type} validators on an EVM chain")
        point = secp256k1.decompress(validator.public_key.data)
        if point is None:
            raise MalformedInput(f"{field}.validators[{index}].pub_key", "is not a point of secp256k1")
        rows.append((*point, validator.voting_power))
    return tuple(rows)


def _timestamp(time_ns: int, field: str) -> tuple[int, int]:
    if not 0 <= time_ns <= MAX_TIME_NS:
        raise MalformedInput(field, "not between the years 1970 and 9999", got=time_ns)
    return divmod(time_ns, NANOSECONDS_PER_SECOND)


def _hash(value: bytes, field: str) -> bytes:
    """32 bytes; zero stands for empty, so a hash that is all zero cannot be said."""
    if not value:
        return _EMPTY_HASH
    if len(value) != HASH_BYTES or value == _EMPTY_HASH:
        raise MalformedInput(field, "must be 32 bytes, not all zero, or empty", got=value)
    return value


def _uint(value: int, limit: int, field: str) -> int:
    if not 0 <= value <= limit:
        raise MalformedInput(field, f"not within 0 and {limit}", got=value)
    return value
