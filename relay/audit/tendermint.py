"""Headers of CometBFT chains in a bundle: believed by commit, or bare by `last_block_id`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    Judge,
    MalformedInput,
    PredicateFailed,
    cited,
    rule,
)
from hutong.light_clients.tendermint import codec, predicates
from hutong.light_clients.tendermint.hashing import header_hash, validator_set_hash
from hutong.light_clients.tendermint.predicates import LIGHT, VALIDATION, VALIDATOR_SET
from hutong.light_clients.tendermint.types import (
    BlockIdFlag,
    ClientState,
    Commit,
    ConsensusState,
    Header,
    LightBlock,
    SignedHeader,
    ValidatorSet,
    revision_of,
)
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_commit, judge_update
from hutong.relay.archive.bundle import ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import Checkpoint, TendermintTrust
from hutong.relay.audit.blocks import SPEC, Block, ProvenState
from hutong.relay.audit.memory import HeaderMemory


def canonical_validator_set(validator_set: ValidatorSet) -> ValidatorSet:
    """Only what the set's hash commits to, in its order; the first validator stands as proposer, priorities are 0."""
    return ValidatorSet.of(tuple(replace(validator, proposer_priority=0) for validator in validator_set.validators))


class TendermintRules:
    """See `HeaderRules`."""

    def __init__(
        self, checkpoint: Checkpoint, trust: TendermintTrust, validator_sets: tuple[bytes, ...], memory: HeaderMemory
    ) -> None:
        self._checkpoint = checkpoint
        self._trust = trust
        self._encoded_sets = validator_sets
        self._sets: dict[bytes, ValidatorSet] = {}
        self._memory = memory

    @property
    def reading(self) -> str:
        """See `HeaderRules`: the kind, since CometBFT headers are read in one way."""
        return ChainKind.TENDERMINT

    def height_of(self, number: int) -> Height:
        """See `HeaderRules`: the revision is that of the checkpoint's chain id."""
        return Height(revision_of(self._checkpoint.chain_id), number)

    def parse(self, entry: HeaderEntry) -> Block:
        """See `HeaderRules`.

        Raises:
            MalformedInput: header or commit cannot be read, or the entry has an account proof.
        """
        if entry.account_proof:
            raise MalformedInput("header.account_proof", "a CometBFT header has none")
        header = codec.decode_header(entry.header)
        commit = None if entry.commit is None else codec.decode_commit(entry.commit)
        return Block(
            header.height,
            header.time_ns,
            header_hash(header),
            header.last_block_id.hash,
            commit is None,
            entry,
            (header, commit),
        )

    def parse_checkpoint_header(self, header: bytes) -> Block:
        return self.parse(HeaderEntry(header))

    def judge_sets(self, judge: Judge, blocks: list[Block]) -> None:
        """See `HeaderRules`. Sets for which all rules held are remembered, and those of this bundle used from
        then on.
        """
        sets = judge(validator_sets_are_canonical, self._encoded_sets, self._memory)
        judge(validator_sets_are_sound, self._encoded_sets, sets, self._memory)
        named = {value for block in blocks for value in _named_sets(block.value[0])}
        judge(validator_sets_are_named, sets, named)
        for encoded, (value, validator_set) in zip(self._encoded_sets, sets, strict=True):
            # Every rule of a set has held by now: what is remembered is canonical, sound and of use.
            if self._memory.validator_sets.get(encoded) is None:
                self._memory.validator_sets.keep(encoded, (value, validator_set), len(encoded))
        self._sets = dict(sets)

    def judge_identity(self, judge: Judge, block: Block) -> None:
        """See `HeaderRules`: the header names the checkpoint's chain id."""
        judge(predicates.chain_id_matches, block.value[0], self._checkpoint.chain_id)

    def judge_seals(self, judge: Judge, block: Block) -> None:
        """See `HeaderRules`: every entry of the commit is valid or absent, and more than two thirds of the power
        signed.
        """
        signed, own = judge(_validators_in_bundle, self._sets, block)
        signatures = predicates.CommitSignatures(self._checkpoint.chain_id, signed.commit)
        judge_commit(judge, signed, own, signatures)
        judge(every_entry_signed, own, signed.commit, signatures)

    def judge_forward(self, judge: Judge, block: Block, trusted: Block, now_ns: int) -> None:
        """See `HeaderRules`: by the rules of a `07-tendermint` client's update, at the checkpoint's trust level."""
        trusted_header: Header = trusted.value[0]
        signed, own, trusted_validators = judge(_both_sets_in_bundle, self._sets, block, trusted_header)
        judge(_consensus_fields_present, signed.header)
        signatures = judge_update(
            judge,
            self._checkpoint.chain_id,
            LightBlock(signed, own),
            TrustedState(trusted.height, trusted.time_ns, trusted_header.next_validators_hash),
            trusted_validators,
            Options(
                self._trust.trust_level,
                self._checkpoint.trusting_period_s * NANOSECONDS_PER_SECOND,
                self._checkpoint.max_clock_drift_s * NANOSECONDS_PER_SECOND,
            ),
            now_ns,
        )
        judge(every_entry_signed, own, signed.commit, signatures)

    def judge_state(self, judge: Judge, block: Block) -> ProvenState:
        """See `HeaderRules`: the header's app hash, under the proof specs that the checkpoint names."""
        header: Header = block.value[0]
        judge(_consensus_fields_present, header)
        period_ns = self._checkpoint.trusting_period_s * NANOSECONDS_PER_SECOND
        client = ClientState(
            chain_id=self._checkpoint.chain_id,
            trust_level=self._trust.trust_level,
            trusting_period_ns=period_ns,
            unbonding_period_ns=period_ns + 1,  # read by no rule of a membership proof
            max_clock_drift_ns=self._checkpoint.max_clock_drift_s * NANOSECONDS_PER_SECOND,
            frozen_height=Height(0, 0),
            latest_height=self.height_of(block.height),
            proof_specs=self._trust.specs,
            upgrade_path=(),
        )
        state = ConsensusState(header.time_ns, header.app_hash, header.next_validators_hash)
        return ProvenState(codec.encode_client_state(client), codec.encode_consensus_state(state), header.time_ns)


_consensus_fields_present = cited(predicates.consensus_fields_present, SPEC)


@rule(SPEC)
def validator_sets_are_canonical(
    encoded_sets: Sequence[bytes], memory: HeaderMemory
) -> tuple[tuple[bytes, ValidatorSet], ...]:
    """Each set says only what its hash commits to, and they ascend by their hashes.

    Returns:
        The sets with their hashes, in the order of `encoded_sets`.

    Raises:
        MalformedInput: a set cannot be read, says more, or is out of order.
    """
    sets: list[tuple[bytes, ValidatorSet]] = []
    for index, encoded in enumerate(encoded_sets):
        known = memory.validator_sets.get(encoded)
        if known is None:
            field = f"validator_sets[{index}]"
            validator_set = codec.decode_validator_set(encoded)
            if codec.encode_validator_set(canonical_validator_set(validator_set)) != encoded:
                raise MalformedInput(field, "says more than the set's hash commits to, or in another order")
            known = validator_set_hash(validator_set), validator_set
        sets.append(known)
    hashes = [value for value, _ in sets]
    if hashes != sorted(set(hashes)):
        raise MalformedInput("validator_sets", "are not in ascending order of their hashes")
    return tuple(sets)


@rule(VALIDATOR_SET)
def validator_sets_are_sound(
    encoded_sets: Sequence[bytes], sets: Sequence[tuple[bytes, ValidatorSet]], memory: HeaderMemory
) -> None:
    """By their bytes: the hash says nothing of the addresses, which are what is judged here.

    Raises:
        VerificationError: a set is not sound (`validator_set_is_sound`).
    """
    for encoded, (_, validator_set) in zip(encoded_sets, sets, strict=True):
        if memory.validator_sets.get(encoded) is None:
            predicates.validator_set_is_sound(validator_set)


@rule(LIGHT)
def validator_sets_are_named(sets: Sequence[tuple[bytes, ValidatorSet]], named: set[bytes]) -> None:
    """A header names each of them, by its hash.

    Raises:
        PredicateFailed: no header names a set; `got` is its hash.
    """
    for value, _ in sets:
        if value not in named:
            raise PredicateFailed("validator_sets_are_named", "no header names this set", got=value)


def _signed(sets: Mapping[bytes, ValidatorSet], block: Block) -> tuple[SignedHeader, ValidatorSet]:
    header, commit = block.value
    if commit is None:
        raise ValueError("a bare header has no commit")
    return SignedHeader(header, commit), _set_of(sets, header.validators_hash)


def _signed_and_trusted(
    sets: Mapping[bytes, ValidatorSet], block: Block, trusted: Header
) -> tuple[SignedHeader, ValidatorSet, ValidatorSet]:
    signed, own = _signed(sets, block)
    return signed, own, _set_of(sets, trusted.next_validators_hash)


_validators_in_bundle = cited(_signed, SPEC, "validators_in_bundle")
_both_sets_in_bundle = cited(_signed_and_trusted, SPEC, "validators_in_bundle")


def _set_of(sets: Mapping[bytes, ValidatorSet], wanted: bytes) -> ValidatorSet:
    found = sets.get(wanted)
    if found is None:
        raise PredicateFailed(
            "validators_in_bundle",
            "the bundle lacks a validator set: export it again with this checkpoint",
            expected=wanted,
        )
    return found


def _named_sets(header: Header) -> tuple[bytes, bytes]:
    return header.validators_hash, header.next_validators_hash


@rule(VALIDATION)
def every_entry_signed(validator_set: ValidatorSet, commit: Commit, signatures: predicates.CommitSignatures) -> None:
    """Stricter than a light client, which stops above two thirds: nothing in a bundle goes unread.

    Entries are of the block and valid, or absent; votes for nil prove nothing and are left out.

    Raises:
        PredicateFailed: an entry is a vote for nil, of another validator, or not validly signed.
    """
    name = "every_entry_signed"
    for index, (entry, validator) in enumerate(zip(commit.signatures, validator_set.validators, strict=True)):
        if entry.block_id_flag is BlockIdFlag.ABSENT:
            continue
        if entry.block_id_flag is BlockIdFlag.NIL:
            raise PredicateFailed(name, f"entry {index} is a vote for nil")
        if entry.validator_address != validator.address:
            raise PredicateFailed(
                name, f"entry {index} names another validator", entry.validator_address, validator.address
            )
        signatures.demand_valid(name, ((index, validator.public_key),))
