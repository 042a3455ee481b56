"""The rules of a CometBFT header, one function a rule; `verification` and `client` put them in order.

Sources: cometbft 0.38 light/verifier.go, types/{block,validator,validator_set,validation}.go; ibc-go v10
modules/light-clients/07-tendermint/{update,misbehaviour,misbehaviour_handle,header,client_state,proposal_handle}.go.
Where a rule is stricter than those, docs/spec/tendermint-client.md lists it.
"""

from collections.abc import Iterable
from dataclasses import replace

from hutong.light_clients.crypto import ed25519, secp256k1, sha256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    InsufficientTrust,
    PredicateFailed,
    cited,
    rule,
    trusting,
)
from hutong.light_clients.tendermint.hashing import commit_signer, header_hash, validator_set_hash
from hutong.light_clients.tendermint.types import (
    BLOCK_PROTOCOL,
    MAX_CHAIN_ID_BYTES,
    MAX_INT64,
    MAX_TOTAL_VOTING_POWER,
    TWO_THIRDS,
    BlockIdFlag,
    ClientState,
    Commit,
    ConsensusState,
    Header,
    KeyType,
    PublicKey,
    SignedHeader,
    TrustLevel,
    ValidatorSet,
    chain_name,
    revision_of,
)

ICS02 = "ICS-02"
CODEC = "docs/spec/tendermint-client.md"
CLIENT_STATE = "ibc-go 07-tendermint/client_state.go"
UPDATE = "ibc-go 07-tendermint/update.go"
MISBEHAVIOUR = "ibc-go 07-tendermint/misbehaviour.go"
HANDLE = "ibc-go 07-tendermint/misbehaviour_handle.go"
RECOVERY = "ibc-go 07-tendermint/proposal_handle.go"
LIGHT = "cometbft light/verifier.go"
BLOCK = "cometbft types/block.go"
VALIDATION = "cometbft types/validation.go"
VALIDATOR_SET = "cometbft types/validator_set.go"

ADDRESS_BYTES = 20


def _demand(holds: bool, predicate: str, reason: str, got: object = None, expected: object = None) -> None:
    if not holds:
        raise PredicateFailed(predicate, reason, got, expected)


# Client and consensus states


@rule(CLIENT_STATE)
def chain_id_is_usable(client: ClientState) -> None:
    """Not blank, at most 50 bytes, and with a revision that is a uint64.

    Raises:
        PredicateFailed: blank or too long.
        MalformedInput: the revision is not a uint64.
    """
    _demand(bool(client.chain_id.strip()), "chain_id_is_usable", "the chain id is blank")
    length = len(client.chain_id.encode())
    _demand(length <= MAX_CHAIN_ID_BYTES, "chain_id_is_usable", "too long", length, MAX_CHAIN_ID_BYTES)
    revision_of(client.chain_id)


@rule(CLIENT_STATE)
def trust_level_in_range(trust_level: TrustLevel) -> None:
    """In [1/3, 1]: below a third no honest validator need have signed.

    Raises:
        PredicateFailed: outside, or a denominator that is not positive.
    """
    n, d = trust_level.numerator, trust_level.denominator
    _demand(d > 0 and n <= d <= 3 * n, "trust_level_in_range", "the trust level must be within [1/3, 1]", f"{n}/{d}")


@rule(CLIENT_STATE)
def periods_in_order(client: ClientState) -> None:
    """0 < trusting period < unbonding period: signers must still be accountable when they are believed.

    Raises:
        PredicateFailed: another order, or equal periods.
    """
    _demand(
        0 < client.trusting_period_ns < client.unbonding_period_ns,
        "periods_in_order",
        "0 < trusting period < unbonding period does not hold",
        client.trusting_period_ns,
        client.unbonding_period_ns,
    )


@rule(CLIENT_STATE)
def clock_drift_positive(client: ClientState) -> None:
    """A drift of zero would refuse every header of a chain whose clock is right.

    Raises:
        PredicateFailed: zero or negative.
    """
    _demand(
        client.max_clock_drift_ns > 0,
        "clock_drift_positive",
        "max clock drift must be positive",
        client.max_clock_drift_ns,
    )


@rule(CLIENT_STATE)
def latest_height_of_chain(client: ClientState) -> None:
    """The latest height is not zero and its revision is that of the chain id.

    Raises:
        PredicateFailed: zero, or of another revision.
        MalformedInput: the revision of the chain id is not a uint64.
    """
    _demand(client.latest_height.revision_height > 0, "latest_height_of_chain", "the latest height is zero")
    expected = revision_of(client.chain_id)
    _demand(
        client.latest_height.revision_number == expected,
        "latest_height_of_chain",
        "revision differs from that of the chain id",
        client.latest_height.revision_number,
        expected,
    )


@rule(CLIENT_STATE)
def proof_specs_present(client: ClientState) -> None:
    """Without a spec nothing could ever be proven.

    Raises:
        PredicateFailed: none is given.
    """
    _demand(bool(client.proof_specs), "proof_specs_present", "no proof specs")


@rule(CLIENT_STATE)
def upgrade_path_elements_present(client: ClientState) -> None:
    """No blank element; the path itself may be empty (no upgrades).

    Raises:
        PredicateFailed: the first blank element, by its index.
    """
    for index, element in enumerate(client.upgrade_path):
        _demand(bool(element.strip()), "upgrade_path_elements_present", f"element {index} is blank")


client_not_frozen = trusting.client_not_frozen
substitute_not_frozen = cited(client_not_frozen, RECOVERY, "substitute_not_frozen")


@rule(CODEC)
def consensus_state_is_sound(state: ConsensusState) -> None:
    """A root, the hash of the next validators, and a time after 1970: no default value is ever trusted (Nomad).

    Raises:
        PredicateFailed: root empty or zero, a hash that is not 32 bytes, or a time before 1970-01-01T00:00:01Z.
    """
    _demand(bool(state.root), "consensus_state_is_sound", "the root is empty")
    _demand(any(state.root), "consensus_state_is_sound", "the root is all zero")
    _demand(
        len(state.next_validators_hash) == HASH_BYTES,
        "consensus_state_is_sound",
        "next_validators_hash must be 32 bytes",
        state.next_validators_hash,
    )
    _demand(
        state.timestamp_ns >= NANOSECONDS_PER_SECOND,
        "consensus_state_is_sound",
        "the timestamp is not after 1970",
        state.timestamp_ns,
    )


# Times and heights


within_trusting_period = cited(trusting.within_trusting_period, LIGHT)
header_not_from_future = cited(trusting.header_not_from_future, LIGHT)


@rule(LIGHT)
def time_increases(time_ns: int, trusted_time_ns: int) -> None:
    """BFT time: a later block has a later time. Both are nanoseconds since 1970.

    Raises:
        PredicateFailed: equal times, or an earlier one.
    """
    _demand(
        time_ns > trusted_time_ns,
        "time_increases",
        "header is not later than its trusted state",
        time_ns,
        trusted_time_ns,
    )


@rule(LIGHT)
def height_increases(height: int, trusted_height: int) -> None:
    """Within the revision a header is vouched for by a lower one.

    Raises:
        PredicateFailed: equal heights, or a lower one.
    """
    _demand(
        height > trusted_height,
        "height_increases",
        "header is not above its trusted height",
        height,
        f"> {trusted_height}",
    )


@rule(MISBEHAVIOUR)
def header_has_ibc_height(header: Header) -> None:
    """Height and revision are uint64 (ibc-go Header.GetHeight).

    Raises:
        MalformedInput: they make no height.
    """
    _ = header.ibc_height


@rule(MISBEHAVIOUR)
def trusted_height_is_below(trusted_height: Height, height: Height) -> None:
    """Evidence may cross revisions; its trusted height is not zero and below it.

    Raises:
        PredicateFailed: zero, equal or above, revisions compared first.
    """
    _demand(
        trusted_height.revision_height > 0 and trusted_height < height,
        "trusted_height_is_below",
        "the trusted height is zero or not below the header",
        trusted_height,
        f"< {height}",
    )


@rule(UPDATE)
def revision_matches(header: Header, trusted_height: Height) -> None:
    """Updates stay within one revision; a new one needs a client upgrade.

    Raises:
        PredicateFailed: the header's chain id carries another revision than the trusted height.
        MalformedInput: it carries one that is not a uint64.
    """
    revision = revision_of(header.chain_id)
    _demand(
        revision == trusted_height.revision_number,
        "revision_matches",
        "revision of the chain id differs from that of the trusted height",
        revision,
        trusted_height.revision_number,
    )


@rule(BLOCK)
def chain_id_matches(header: Header, chain_id: str) -> None:
    """The header is of the chain that the client follows.

    Raises:
        PredicateFailed: another chain id, revision included.
    """
    _demand(header.chain_id == chain_id, "chain_id_matches", "header of another chain", header.chain_id, chain_id)


# Header and commit


@rule(BLOCK)
def header_is_well_formed(header: Header) -> None:
    """Block protocol 11, chain id of at most 50 bytes, positive height, proposer (types/block.go Header.ValidateBasic).

    Raises:
        PredicateFailed: the first of these that does not hold.
    """
    name = "header_is_well_formed"
    _demand(header.version_block == BLOCK_PROTOCOL, name, "block protocol", header.version_block, BLOCK_PROTOCOL)
    _demand(len(header.chain_id.encode()) <= MAX_CHAIN_ID_BYTES, name, "the chain id is too long", header.chain_id)
    _demand(header.height > 0, name, "height must be positive", header.height)
    _demand(
        len(header.proposer_address) == ADDRESS_BYTES,
        name,
        "proposer_address must be 20 bytes",
        header.proposer_address,
    )


@rule(CODEC)
def consensus_fields_present(header: Header) -> None:
    """The app hash and the next validators' hash become a trusted state: neither may be empty or all zero.

    Raises:
        PredicateFailed: one of them is.
    """
    name = "consensus_fields_present"
    _demand(any(header.app_hash), name, "app_hash is empty or all zero", header.app_hash)
    _demand(any(header.next_validators_hash), name, "next_validators_hash is empty or all zero")


@rule(BLOCK)
def commit_matches_header(signed_header: SignedHeader) -> None:
    """The commit is for this header: same height, a round, and the hash of its block (SignedHeader.ValidateBasic).

    Raises:
        PredicateFailed: one differs, a negative round, or `header_hash_defined` where the header has no hash.
    """
    header, commit = signed_header.header, signed_header.commit
    name = "commit_matches_header"
    _demand(commit.height == header.height, name, "commit of another height", commit.height, header.height)
    _demand(commit.round >= 0, name, "negative round", commit.round)
    expected = header_hash(header)
    _demand(commit.block_id.hash == expected, name, "commit is for another block", commit.block_id.hash, expected)


@rule(VALIDATION)
def one_entry_a_validator(commit: Commit, validator_set: ValidatorSet) -> None:
    """As many commit entries as validators, so that index means validator (types/validation.go).

    Raises:
        PredicateFailed: the numbers differ.
    """
    _demand(
        len(commit.signatures) == len(validator_set.validators),
        "one_entry_a_validator",
        "number of commit entries differs from the number of validators",
        len(commit.signatures),
        len(validator_set.validators),
    )


# Validator sets


@rule(VALIDATOR_SET)
def validator_set_is_sound(validator_set: ValidatorSet) -> None:
    """Not empty, derived addresses, each key once, positive powers, total ≤ (2^63 - 1) / 8, the proposer a member.

    Addresses are not hashed, so a transmitted one is worth nothing until derived again.

    Raises:
        PredicateFailed: the first of these that does not hold, by the validator's index.
    """
    name = "validator_set_is_sound"
    validators = validator_set.validators
    _demand(bool(validators), name, "the set is empty")
    total = 0
    seen: set[bytes] = set()
    for index, validator in enumerate(validators):
        power = validator.voting_power
        if power <= 0:
            raise PredicateFailed(name, f"power of validator {index} is not positive", power)
        total += power
        derived = validator.public_key.address
        if validator.address != derived:
            reason = f"address of validator {index} is not derived from its key"
            raise PredicateFailed(name, reason, validator.address, derived)
        if derived in seen:
            raise PredicateFailed(name, f"validator {index} stands in the set twice", derived)
        seen.add(derived)
    _demand(total <= MAX_TOTAL_VOTING_POWER, name, "total power above its cap", total, MAX_TOTAL_VOTING_POWER)
    proposer = validator_set.proposer
    if proposer is None:
        raise PredicateFailed(name, "the proposer is missing")
    _demand(proposer.voting_power >= 0, name, "negative power of the proposer", proposer.voting_power)
    derived = proposer.public_key.address
    _demand(proposer.address == derived, name, "address of the proposer is not derived", proposer.address, derived)
    _demand(derived in seen, name, "the proposer is not in the set", derived)


trusted_validators_are_sound = cited(validator_set_is_sound, VALIDATOR_SET, "trusted_validators_are_sound")


@rule(LIGHT)
def validators_hash_matches(header: Header, validator_set: ValidatorSet) -> None:
    """The header commits to the set that signs it.

    Raises:
        PredicateFailed: the set's Merkle root is not the header's `validators_hash`.
    """
    actual = validator_set_hash(validator_set)
    _demand(
        header.validators_hash == actual,
        "validators_hash_matches",
        "the validator set is not the header's",
        actual,
        header.validators_hash,
    )


@rule(UPDATE)
def trusted_validators_hash_matches(trusted_validators: ValidatorSet, next_validators_hash: bytes) -> None:
    """The trusted set is the one that the trusted state named as next.

    Raises:
        PredicateFailed: its Merkle root is another one.
    """
    actual = validator_set_hash(trusted_validators)
    _demand(
        actual == next_validators_hash,
        "trusted_validators_hash_matches",
        "the trusted validators are not those of the trusted state",
        actual,
        next_validators_hash,
    )


@rule(LIGHT)
def next_validators_continue(header: Header, next_validators_hash: bytes) -> None:
    """The very next block is signed by the set that the trusted state named.

    Raises:
        PredicateFailed: the header has another `validators_hash`.
    """
    _demand(
        header.validators_hash == next_validators_hash,
        "next_validators_continue",
        "validators of the next block are not those announced",
        header.validators_hash,
        next_validators_hash,
    )


# Signatures


class CommitSignatures:
    """Verifies entries of one commit; each (entry, key) pair once, since both thresholds read much the same entries."""

    __slots__ = ("_commit", "_sign_bytes", "_verified")

    def __init__(self, chain_id: str, commit: Commit) -> None:
        self._commit = commit
        self._sign_bytes = commit_signer(chain_id, commit)
        self._verified: set[tuple[int, bytes]] = set()

    def demand_valid(self, predicate: str, entries: Iterable[tuple[int, PublicKey]]) -> None:
        """Each entry is a precommit for the commit's block under its key; the first bad one is named.

        `predicate` is the rule in whose name is refused. Whether the key is a validator's is not asked.

        Raises:
            PredicateFailed: a signature that does not verify.
        """
        signatures, sign_bytes, verified = self._commit.signatures, self._sign_bytes, self._verified
        for index, public_key in entries:
            key = public_key.data
            if (index, key) in verified:
                continue
            commit_sig = signatures[index]
            message = sign_bytes(commit_sig.timestamp_ns)
            if public_key.key_type is KeyType.ED25519:
                valid = ed25519.verify(key, message, commit_sig.signature)
            else:
                valid = secp256k1.verify_low_s(key, sha256(message), commit_sig.signature)
            if not valid:
                raise PredicateFailed(predicate, f"wrong signature at entry {index}", commit_sig.signature)
            verified.add((index, key))


@rule(VALIDATION)
def trusted_power_signed(
    trusted_validators: ValidatorSet, commit: Commit, trust_level: TrustLevel, signatures: CommitSignatures
) -> None:
    """More than the trust level of the trusted power signed (types/validation.go VerifyCommitLightTrusting).

    Entries are looked up by address, since the set may have changed. Powers are added up first, so that a header
    without enough trusted signers costs no signature check.

    Raises:
        InsufficientTrust: too few of them signed.
        PredicateFailed: a trust level out of range, a second entry of a validator, or a signature that does not verify.
    """
    name = "trusted_power_signed"
    trust_level_in_range(trust_level)
    total = trusted_validators.total_voting_power
    _demand(total * trust_level.numerator <= MAX_INT64, name, "trust level numerator too large", trust_level.numerator)
    needed = trust_level.power_needed(total)
    by_address = {validator.address: validator for validator in trusted_validators.validators}
    counted: dict[bytes, int] = {}
    tallied = 0
    for index, commit_sig in enumerate(commit.signatures):
        if commit_sig.block_id_flag is not BlockIdFlag.COMMIT:
            continue
        validator = by_address.get(commit_sig.validator_address)
        if validator is None:
            continue
        if validator.address in counted:
            raise PredicateFailed(name, f"entry {index} is a second one of its validator", validator.address)
        counted[validator.address] = index
        tallied += validator.voting_power
        if tallied > needed:
            break
    if tallied <= needed:
        raise InsufficientTrust(tallied, needed, total)
    signatures.demand_valid(name, [(index, by_address[address].public_key) for address, index in counted.items()])


@rule(VALIDATION)
def two_thirds_signed(validator_set: ValidatorSet, commit: Commit, signatures: CommitSignatures) -> None:
    """More than 2/3 of the header's own power signed (types/validation.go VerifyCommitLight).

    The commit rule: entries in list order, nil and absent passed over, stop above 2/3; the first bad entry met
    refuses the commit, later ones are not read. `one_entry_a_validator` must hold, else zip raises ValueError.

    Raises:
        PredicateFailed: too little power, an entry that names another validator, or a signature that does not verify.
    """
    name = "two_thirds_signed"
    total = validator_set.total_voting_power
    needed = TWO_THIRDS.power_needed(total)
    read: list[tuple[int, PublicKey]] = []
    tallied = 0
    for index, (commit_sig, validator) in enumerate(zip(commit.signatures, validator_set.validators, strict=True)):
        if commit_sig.block_id_flag is not BlockIdFlag.COMMIT:
            continue
        if commit_sig.validator_address != validator.address:
            reason = f"entry {index} names another validator"
            raise PredicateFailed(name, reason, commit_sig.validator_address, validator.address)
        read.append((index, validator.public_key))
        tallied += validator.voting_power
        if tallied > needed:
            break
    _demand(tallied > needed, name, f"signed power of {total}", tallied, f"> {needed}")
    signatures.demand_valid(name, read)


# Misbehaviour and recovery


@rule(HANDLE)
def headers_conflict(header_1: SignedHeader, header_2: SignedHeader) -> None:
    """Two blocks at one height, or a higher one that is not later (ibc-go CheckForMisbehaviour).

    The first header is the higher one where heights differ (`evidence_heights_in_order`).

    Raises:
        PredicateFailed: both can be of one chain.
    """
    name = "headers_conflict"
    one, two = header_1.header, header_2.header
    if one.height == two.height:
        _demand(
            header_1.commit.block_id.hash != header_2.commit.block_id.hash,
            name,
            "both headers are the same block",
            header_1.commit.block_id.hash,
        )
    else:
        _demand(one.time_ns <= two.time_ns, name, "times are in order", one.time_ns, f"<= {two.time_ns}")


@rule(MISBEHAVIOUR)
def evidence_heights_in_order(header_1: Header, header_2: Header) -> None:
    """Both of one chain, the first at least as high as the second.

    Raises:
        PredicateFailed: two chain ids, revision included, or the other order.
    """
    name = "evidence_heights_in_order"
    _demand(header_1.chain_id == header_2.chain_id, name, "two chains", header_1.chain_id, header_2.chain_id)
    _demand(header_1.height >= header_2.height, name, "heights are reversed", header_1.height, f">= {header_2.height}")


@rule(RECOVERY)
def substitute_matches(subject: ClientState, substitute: ClientState) -> None:
    """All but chain revision, heights, trusting period and deprecated flags are equal (ibc-go IsMatchingClientState).

    Raises:
        PredicateFailed: the first field that differs.
    """
    name = "substitute_matches"
    _demand(
        chain_name(subject.chain_id) == chain_name(substitute.chain_id),
        name,
        "chain name differs",
        substitute.chain_id,
        subject.chain_id,
    )
    for field in ("trust_level", "unbonding_period_ns", "max_clock_drift_ns", "proof_specs", "upgrade_path"):
        got, expected = getattr(substitute, field), getattr(subject, field)
        _demand(got == expected, name, f"{field} differs", got, expected)


@rule(RECOVERY)
def substitute_is_ahead(subject: ClientState, substitute: ClientState) -> None:
    """Recovery never goes back (ibc-go 02-client RecoverClient).

    Raises:
        PredicateFailed: the substitute's latest height is equal or lower, revisions compared first.
    """
    _demand(
        substitute.latest_height > subject.latest_height,
        "substitute_is_ahead",
        "the substitute is not above the subject",
        substitute.latest_height,
        f"> {subject.latest_height}",
    )


def recovered_state(subject: ClientState, substitute: ClientState) -> ClientState:
    """The subject, unfrozen, at the substitute's chain id, latest height and trusting period. Judges nothing."""
    return replace(
        subject,
        chain_id=substitute.chain_id,
        frozen_height=Height(0, 0),
        latest_height=substitute.latest_height,
        trusting_period_ns=substitute.trusting_period_ns,
    )
