"""Headers of CometBFT chains in a bundle: believed by commit, or bare by `last_block_id`."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Check,
    Height,
    MalformedInput,
    PredicateFailed,
)
from light_clients.tendermint import codec, predicates
from light_clients.tendermint.hashing import header_hash, validator_set_hash
from light_clients.tendermint.types import (
    BlockIdFlag,
    ClientState,
    Commit,
    ConsensusState,
    Header,
    SignedHeader,
    ValidatorSet,
    revision_of,
)
from light_clients.tendermint.verification import (
    BLOCK,
    LIGHT,
    VALIDATION,
    VALIDATOR_SET,
    Options,
    TrustedState,
    commit_checks,
    update_checks,
)
from relay.archive.bundle import ChainKind, HeaderEntry
from relay.archive.checkpoint import Checkpoint, TendermintTrust
from relay.audit.blocks import SPEC, Block, ProvenState
from relay.audit.memory import HeaderMemory


def canonical_validator_set(validator_set: ValidatorSet) -> ValidatorSet:
    """Only what the set's hash commits to, in its order; the first validator stands as proposer."""
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
        return ChainKind.TENDERMINT

    def height_of(self, number: int) -> Height:
        return Height(revision_of(self._checkpoint.chain_id), number)

    def parse(self, entry: HeaderEntry) -> Block:
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

    def set_checks(self, blocks: list[Block]) -> Iterator[Check]:
        named = {value for block in blocks for value in _named_sets(block.value[0])}
        yield Check("validator_sets_are_canonical", SPEC, self._decode_sets)
        yield Check("validator_sets_are_sound", VALIDATOR_SET, self._sets_are_sound)
        yield Check("validator_sets_are_named", LIGHT, partial(self._sets_are_named, named))

    def _decode_sets(self) -> None:
        hashes = []
        for index, encoded in enumerate(self._encoded_sets):
            known = self._memory.validator_sets.get(encoded)
            if known is None:
                field = f"validator_sets[{index}]"
                validator_set = codec.decode_validator_set(encoded)
                if codec.encode_validator_set(canonical_validator_set(validator_set)) != encoded:
                    raise MalformedInput(field, "says more than the set's hash commits to, or in another order")
                known = validator_set_hash(validator_set), validator_set
            hashes.append(known[0])
            self._sets[known[0]] = known[1]
        if hashes != sorted(set(hashes)):
            raise MalformedInput("validator_sets", "are not in ascending order of their hashes")

    def _sets_are_sound(self) -> None:
        """By their bytes: the hash says nothing of the addresses, which are what is judged here."""
        for encoded, validator_set in zip(self._encoded_sets, self._sets.values(), strict=True):
            if self._memory.validator_sets.get(encoded) is None:
                predicates.validator_set_is_sound(validator_set)

    def _sets_are_named(self, named: set[bytes]) -> None:
        for value in self._sets:
            if value not in named:
                raise PredicateFailed("validator_sets_are_named", "no header names this set", got=value)
        for encoded, (value, validator_set) in zip(self._encoded_sets, self._sets.items(), strict=True):
            # Every rule of a set has held by now: what is remembered is canonical, sound and of use.
            if self._memory.validator_sets.get(encoded) is None:
                self._memory.validator_sets.keep(encoded, (value, validator_set), len(encoded))

    def identity_checks(self, block: Block) -> Iterator[Check]:
        header: Header = block.value[0]
        yield Check("chain_id_matches", BLOCK, partial(predicates.chain_id_matches, header, self._checkpoint.chain_id))

    def seal_checks(self, block: Block) -> Iterator[Check]:
        found: list[tuple[SignedHeader, ValidatorSet]] = []
        yield Check("validators_in_bundle", SPEC, lambda: found.append(self._signed(block)))
        signed, own = found[0]
        signatures = predicates.CommitSignatures(self._checkpoint.chain_id, signed.commit)
        yield from commit_checks(signed, own, signatures)
        yield Check("every_entry_signed", VALIDATION, partial(every_entry_signed, own, signed.commit, signatures))

    def forward_checks(self, block: Block, trusted: Block, now_ns: int) -> Iterator[Check]:
        trusted_header: Header = trusted.value[0]
        found: list[tuple[SignedHeader, ValidatorSet, ValidatorSet]] = []

        def collect() -> None:
            signed, own = self._signed(block)
            found.append((signed, own, self._set(trusted_header.next_validators_hash)))

        yield Check("validators_in_bundle", SPEC, collect)
        signed, own, trusted_validators = found[0]
        yield Check("consensus_fields_present", SPEC, partial(predicates.consensus_fields_present, signed.header))
        yield from update_checks(
            self._checkpoint.chain_id,
            signed,
            own,
            TrustedState(trusted.height, trusted.time_ns, trusted_header.next_validators_hash),
            trusted_validators,
            Options(
                self._trust.trust_level,
                self._checkpoint.trusting_period_s * NANOSECONDS_PER_SECOND,
                self._checkpoint.max_clock_drift_s * NANOSECONDS_PER_SECOND,
            ),
            now_ns,
        )
        signatures = predicates.CommitSignatures(self._checkpoint.chain_id, signed.commit)
        yield Check("every_entry_signed", VALIDATION, partial(every_entry_signed, own, signed.commit, signatures))

    def state_checks(self, block: Block, found: list[ProvenState]) -> Iterator[Check]:
        yield Check("consensus_fields_present", SPEC, partial(self._state, block, found))

    def _state(self, block: Block, found: list[ProvenState]) -> None:
        header: Header = block.value[0]
        predicates.consensus_fields_present(header)
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
        found.append(
            ProvenState(codec.encode_client_state(client), codec.encode_consensus_state(state), header.time_ns)
        )

    def _signed(self, block: Block) -> tuple[SignedHeader, ValidatorSet]:
        header, commit = block.value
        if commit is None:
            raise ValueError("a bare header has no commit")
        return SignedHeader(header, commit), self._set(header.validators_hash)

    def _set(self, wanted: bytes) -> ValidatorSet:
        found = self._sets.get(wanted)
        if found is None:
            raise PredicateFailed(
                "validators_in_bundle",
                "the bundle lacks a validator set: export it again with this checkpoint",
                expected=wanted,
            )
        return found


def _named_sets(header: Header) -> tuple[bytes, bytes]:
    return header.validators_hash, header.next_validators_hash


def every_entry_signed(validator_set: ValidatorSet, commit: Commit, signatures: predicates.CommitSignatures) -> None:
    """Stricter than a light client, which stops above two thirds: nothing in a bundle goes unread.

    Entries are of the block and valid, or absent; votes for nil prove nothing and are left out.
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
