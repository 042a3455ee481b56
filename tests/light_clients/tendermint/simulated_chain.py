"""A whole CometBFT chain in memory, signed by real keys: tests say "skip three blocks, let validator 2 vote nil".

Nothing here verifies. Keys and times are deterministic; every block is a second after the last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256

import ed25519_zebra

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.proofs.ics23 import SMT_SPEC
from hutong.light_clients.tendermint.codec import encode_header
from hutong.light_clients.tendermint.hashing import (
    commit_hash,
    consensus_params_hash,
    data_hash,
    evidence_hash,
    header_hash,
    part_set_header,
    results_hash,
    sign_digest,
    validator_set_hash,
    vote_sign_bytes,
)
from hutong.light_clients.tendermint.types import (
    ABSENT_SIGNATURE,
    BlockId,
    BlockIdFlag,
    ClientState,
    Commit,
    CommitSig,
    ConsensusState,
    Header,
    KeyType,
    Misbehaviour,
    PublicKey,
    SignedHeader,
    SignedMessageType,
    TendermintHeader,
    TrustLevel,
    Validator,
    ValidatorSet,
    revision_of,
)
from tests.light_clients.tendermint import smt_model

GENESIS_TIME_NS = 1_700_000_000 * NANOSECONDS_PER_SECOND + 123_456_789
DAY_NS = 86_400 * NANOSECONDS_PER_SECOND
MERKLE_PREFIX = (b"",)


@dataclass(frozen=True)
class Signer:
    """A validator's key."""

    key_type: KeyType
    secret: bytes

    @classmethod
    def numbered(cls, number: int, key_type: KeyType = KeyType.SECP256K1, label: str = "validator") -> "Signer":
        return cls(key_type, sha256(f"{label} {number}".encode()).digest())

    @cached_property
    def public_key(self) -> PublicKey:
        if self.key_type is KeyType.ED25519:
            return PublicKey(self.key_type, bytes(ed25519_zebra.ed_public_from_secret(self.secret)))
        return PublicKey(self.key_type, secp256k1.public_key_of(self.secret))

    @property
    def address(self) -> bytes:
        return self.public_key.address

    def sign(self, sign_bytes: bytes) -> bytes:
        """Signature over vote or proposal sign bytes, as a validator makes it."""
        digest = sign_digest(self.key_type, sign_bytes)
        if self.key_type is KeyType.ED25519:
            return bytes(ed25519_zebra.ed_sign(self.secret, digest))
        return secp256k1.sign(self.secret, digest)


def signers(count: int, key_type: KeyType = KeyType.SECP256K1, label: str = "validator") -> tuple[Signer, ...]:
    return tuple(Signer.numbered(number, key_type, label) for number in range(count))


def validator_set(members: Mapping[Signer, int]) -> ValidatorSet:
    return ValidatorSet.of(tuple(Validator.of(signer.public_key, power) for signer, power in members.items()))


@dataclass(frozen=True)
class Block:
    signed_header: SignedHeader
    validators: ValidatorSet
    next_validators: ValidatorSet

    @property
    def header(self) -> Header:
        return self.signed_header.header

    @property
    def height(self) -> Height:
        return self.header.ibc_height


@dataclass
class SimulatedChain:
    """`members` maps each signer to its power; a change acts two blocks later, as on a real chain."""

    chain_id: str = "sim-1"
    members: Mapping[Signer, int] = field(default_factory=lambda: dict.fromkeys(signers(4), 10))
    genesis_time_ns: int = GENESIS_TIME_NS
    trusting_period_ns: int = 7 * DAY_NS
    unbonding_period_ns: int = 21 * DAY_NS
    max_clock_drift_ns: int = 10 * NANOSECONDS_PER_SECOND
    trust_level: TrustLevel = TrustLevel(1, 3)

    def __post_init__(self) -> None:
        self.blocks: list[Block] = []
        self.keys: dict[bytes, Signer] = {}
        self.state: dict[bytes, bytes] = {b"hub/genesis": b"\x01" * 32}
        self.states: list[dict[bytes, bytes]] = [dict(self.state)]
        self._next = self._enrol(self.members)
        self._after_next = self._next
        self.advance()

    def _enrol(self, members: Mapping[Signer, int]) -> ValidatorSet:
        self.keys.update({signer.address: signer for signer in members})
        return validator_set(members)

    # making blocks

    def set_members(self, members: Mapping[Signer, int]) -> None:
        """The next block announces the change, the one after it is signed by the new members."""
        self.members = members
        self._after_next = self._enrol(members)

    def put(self, key: bytes, value: bytes) -> None:
        """Written by the next block, in the app hash of the one after it."""
        self.state[key] = value

    def delete(self, key: bytes) -> None:
        del self.state[key]

    def advance(self, blocks: int = 1, **changes) -> Block:
        """Make blocks; `changes` are header fields (of the last one only) or options of `sign`."""
        for _ in range(blocks - 1):
            self._append({})
        return self._append(changes)

    def _append(self, changes: Mapping) -> Block:
        options = {name: changes[name] for name in SIGN_OPTIONS if name in changes}
        fields = {name: value for name, value in changes.items() if name not in options}
        header = replace(self._draft(), **fields)
        block = Block(self.sign(header, self._next, **options), self._next, self._after_next)
        self._next = self._after_next
        self.blocks.append(block)
        self.states.append(dict(self.state))
        return block

    def _draft(self) -> Header:
        height = len(self.blocks) + 1
        last = self.blocks[-1] if self.blocks else None
        return Header(
            version_block=11,
            version_app=1,
            chain_id=self.chain_id,
            height=height,
            time_ns=self.genesis_time_ns + height * NANOSECONDS_PER_SECOND,
            last_block_id=last.signed_header.commit.block_id if last else BlockId(),
            last_commit_hash=commit_hash(last.signed_header.commit if last else Commit(0, 0, BlockId(), ())),
            data_hash=data_hash(()),
            validators_hash=validator_set_hash(self._next),
            next_validators_hash=validator_set_hash(self._after_next),
            consensus_hash=consensus_params_hash(22_020_096, -1),
            app_hash=smt_model.root(self.states[-1]),
            last_results_hash=results_hash(()),
            evidence_hash=evidence_hash(()),
            proposer_address=self._next.validators[0].address,
        )

    def sign(
        self,
        header: Header,
        validators: ValidatorSet,
        *,
        flags: Mapping[int, BlockIdFlag] | None = None,
        round_: int = 0,
        signed_chain_id: str | None = None,
        signed_height: int | None = None,
        signed_round: int | None = None,
        signed_block_id: BlockId | None = None,
        signed_type: SignedMessageType = SignedMessageType.PRECOMMIT,
    ) -> SignedHeader:
        """Commit of `header` by all of `validators`, but for those that `flags` lets vote nil or stay away.

        The `signed_…` options put something else than the commit says under the signatures.
        """
        block_id = BlockId(header_hash(header), part_set_header(encode_header(header)))
        entries: list[CommitSig] = []
        for index, validator in enumerate(validators.validators):
            flag = (flags or {}).get(index, BlockIdFlag.COMMIT)
            if flag is BlockIdFlag.ABSENT:
                entries.append(ABSENT_SIGNATURE)
                continue
            timestamp_ns = header.time_ns + NANOSECONDS_PER_SECOND + index * 1_000_003
            voted = (signed_block_id or block_id) if flag is BlockIdFlag.COMMIT else None
            sign_bytes = vote_sign_bytes(
                header.chain_id if signed_chain_id is None else signed_chain_id,
                signed_type,
                header.height if signed_height is None else signed_height,
                round_ if signed_round is None else signed_round,
                voted,
                timestamp_ns,
            )
            signature = self.keys[validator.address].sign(sign_bytes)
            entries.append(CommitSig(flag, validator.address, timestamp_ns, signature))
        return SignedHeader(header, Commit(header.height, round_, block_id, tuple(entries)))

    def fork(self, height: int, **changes) -> Block:
        """Another block at a height that exists, signed by the same validators; the chain stays as it was."""
        original = self.block(height)
        options = {name: changes[name] for name in SIGN_OPTIONS if name in changes}
        fields = {name: value for name, value in changes.items() if name not in options}
        header = replace(original.header, **fields)
        return replace(original, signed_header=self.sign(header, original.validators, **options))

    # reading

    def block(self, height: int) -> Block:
        return self.blocks[height - 1]

    @property
    def latest(self) -> Block:
        return self.blocks[-1]

    def height(self, number: int) -> Height:
        return Height(revision_of(self.chain_id), number)

    def client_state(self, height: int, **changes) -> ClientState:
        return replace(
            ClientState(
                chain_id=self.chain_id,
                trust_level=self.trust_level,
                trusting_period_ns=self.trusting_period_ns,
                unbonding_period_ns=self.unbonding_period_ns,
                max_clock_drift_ns=self.max_clock_drift_ns,
                frozen_height=Height(0, 0),
                latest_height=self.height(height),
                proof_specs=(SMT_SPEC,),
                upgrade_path=("upgrade",),
            ),
            **changes,
        )

    def consensus_state(self, height: int) -> ConsensusState:
        header = self.block(height).header
        return ConsensusState(header.time_ns, header.app_hash, header.next_validators_hash)

    def update(self, height: int, trusted: int, block: Block | None = None) -> TendermintHeader:
        """The update message for `block`, or the chain's own at `height`."""
        block = block or self.block(height)
        return TendermintHeader(
            block.signed_header, block.validators, self.height(trusted), self.block(trusted).next_validators
        )

    def misbehaviour(self, one: TendermintHeader, two: TendermintHeader) -> Misbehaviour:
        return Misbehaviour("07-tendermint-0", one, two)

    def prove(self, key: bytes, height: int) -> tuple[bytes, tuple[bytes, ...], bytes | None]:
        """Proof, path and value (None: absent) under the app hash in the header at `height`."""
        state = self.states[height - 1]
        return smt_model.merkle_proof(state, key), (MERKLE_PREFIX[0] + key,), state.get(key)


SIGN_OPTIONS = frozenset(
    ("flags", "round_", "signed_chain_id", "signed_height", "signed_round", "signed_block_id", "signed_type")
)


def flags(nil: Iterable[int] = (), absent: Iterable[int] = ()) -> dict[int, BlockIdFlag]:
    return {**dict.fromkeys(nil, BlockIdFlag.NIL), **dict.fromkeys(absent, BlockIdFlag.ABSENT)}
