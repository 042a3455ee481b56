"""The state of one chain at the height of a record bundle, believed from the reader's checkpoint by the rules of its kind."""

from dataclasses import dataclass

from hutong.light_clients import bft_evm, clique
from hutong.light_clients.attestation import AttestationClient, decode_attestation, decode_state, is_rotation_update
from hutong.light_clients.evm_header import decode_header, encode_header
from hutong.light_clients.interface import (
    VERIFY,
    Height,
    Judge,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    ProvenStateRoot,
    StateProver,
    UnsupportedOperation,
    VerificationError,
    rule,
)
from hutong.relay.archive.bundle import ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import AttestationTrust, Checkpoint, EthereumTrust, FollowedTrust, TendermintTrust
from hutong.relay.archive.record_headers import has_bare_parent
from hutong.relay.audit import attested
from hutong.relay.audit.blocks import Block, HeaderRules, ProvenState
from hutong.relay.audit.chains import (
    BelievedHeaders,
    ChainCase,
    account_proofs_are_used,
    attested_mode,
    attested_times_agree,
    checkpoint_is_of_kind,
    header_mode,
    judge_headers,
    judge_updates,
    update_mode,
)
from hutong.relay.audit.following import Following
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.memory import HeaderMemory

SPEC = "docs/spec/records.md"
_ATTESTATION = AttestationClient()


@dataclass(frozen=True, slots=True)
class BelievedState:
    """What statements are judged under. `store` of a CometBFT chain, `root` of an EVM chain; `mode` for people."""

    time_ns: int
    mode: str
    store: ProvenState | None = None
    root: ProvenStateRoot | None = None


def judge_state(inquiry: Inquiry, case: ChainCase, height: Height, now_ns: int, memory: HeaderMemory) -> BelievedState:
    """Every rule that makes the chain's header at `height` believed, and what it says of the state, in order.

    Args:
        case: its one proof height is `height`.
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard.
    """
    inquiry.about(case.subject)(checkpoint_is_of_kind, case.chain, case.checkpoint)
    checkpoint, trust = case.checkpoint, case.checkpoint.trust
    if case.chain.kind is ChainKind.TLOG:
        inquiry.about(case.subject)(chain_has_a_state)
    if case.chain.kind is ChainKind.BFT_EVM_CONTRACT and isinstance(trust, FollowedTrust):
        inquiry.about(case.subject)(parents_are_bare, case, trust)
    if isinstance(trust, EthereumTrust | FollowedTrust):
        following = judge_updates(inquiry, case, trust, now_ns)
        judge = inquiry.about(f"{case.subject}, state at {height}")
        state = judge(followed_height_known, following, height)
        root = _followed_root(judge, case, following, height, now_ns)
        return BelievedState(state.time_ns, update_mode(checkpoint, trust), root=root)
    if isinstance(trust, AttestationTrust):
        return _judge_attested(inquiry, case, trust, height, now_ns)
    if case.rules is None:
        raise TypeError(f"no rules for the headers of {case.chain.chain_id}")
    headers = judge_headers(inquiry, case, case.rules, now_ns, memory)
    inquiry.about(case.subject)(account_proofs_are_used, headers.blocks)
    judge = inquiry.about(f"{case.subject}, state at {height}")
    block = judge(header_height_known, headers, case.rules, height)
    mode = header_mode(checkpoint, headers.blocks)
    if isinstance(trust, TendermintTrust):
        return BelievedState(block.time_ns, mode, store=case.rules.judge_state(judge, block))
    header: bft_evm.Header = block.value
    return BelievedState(block.time_ns, mode, root=ProvenStateRoot(header.execution.state_root))


def _followed_root(judge: Judge, case: ChainCase, following: Following, height: Height, now_ns: int) -> ProvenStateRoot:
    """Of a `bft-evm-contract` chain the header was judged as an update; the others are asked as the hub asks them."""
    entry = case.chain.headers[-1] if case.chain.headers else None
    if case.chain.kind is ChainKind.BFT_EVM_CONTRACT:
        return ProvenStateRoot(judge(update_shows_the_root, case.checkpoint, following, entry))
    shown = b""
    if case.chain.kind is ChainKind.CLIQUE:
        shown = judge(block_is_shown, case.checkpoint, entry)
    prover = following.client
    if not isinstance(prover, StateProver):
        raise TypeError(f"a client of {case.chain.kind} proves no state root")
    return prover.judge_state_root(judge, following.client_state, following.states, height, shown, now_ns)


def _judge_attested(
    inquiry: Inquiry, case: ChainCase, trust: AttestationTrust, height: Height, now_ns: int
) -> BelievedState:
    """The attested state says the time, and beside it the attestation of a state root says the rest (ADR 21)."""
    checkpoint = case.checkpoint
    judge = inquiry.about(f"{case.subject}, attested state at {height}")
    entry = judge(attestations_stand_alone, case, height)
    reader = _reader_of(trust, checkpoint, entry)
    state = judge(attested.attested_for_this_client, checkpoint, trust, reader)
    _ATTESTATION.judge_header(judge, state, attested.states_at(checkpoint), entry.header, now_ns)
    data = decode_attestation(entry.header).data
    said = decode_state(data)
    judge(attested_height_is_the_bundles, said.height, height)
    believed = {height: ProvenState(state, data, said.timestamp_ns)}
    judge(attested_times_agree, believed, checkpoint)
    at_height = MemoryConsensusStates({height: data})
    root = _ATTESTATION.judge_state_root(judge, state, at_height, height, entry.commit or b"", now_ns)
    return BelievedState(said.timestamp_ns, attested_mode(trust), root=root)


def _reader_of(trust: AttestationTrust, checkpoint: Checkpoint, entry: HeaderEntry) -> tuple[str, str]:
    """For whom the attestors signed: a state says the same to every client, and the signatures alone tell which."""
    readers = [(one.chain_id, one.client_id) for one in trust.destinations]
    for reader in readers:
        state = attested.attested_for_this_client(checkpoint, trust, reader)
        try:
            _ATTESTATION.judge_header(VERIFY, state, attested.states_at(checkpoint), entry.header, checkpoint.time_ns)
        except PredicateFailed as error:
            if error.predicate == "signed_by_attestors":
                continue
        except VerificationError:
            pass
        return reader
    return readers[0]


@rule(SPEC)
def header_height_known(headers: BelievedHeaders, rules: HeaderRules, height: Height) -> Block:
    """A believed header stands at the bundle's height: in the bundle, or that of the checkpoint.

    Raises:
        PredicateFailed: none does.
    """
    block = headers.at(height.revision_height)
    if block is None or rules.height_of(block.height) != height:
        raise PredicateFailed("header_height_known", "no believed header is of the bundle's height", got=height)
    return block


@rule(SPEC)
def followed_height_known(following: Following, height: Height) -> ProvenState:
    """The client that took the updates knows the bundle's height: `update_is_used` has the last of them end there.

    Raises:
        PredicateFailed: there is no update, and the checkpoint is of another height.
    """
    state = following.state_at(height)
    if state is None:
        raise PredicateFailed(
            "followed_height_known", "the updates do not end at the bundle's height", following.height, height
        )
    return state


@rule(SPEC)
def chain_has_a_state() -> None:
    """Never holds: a signed log has entries, and no state.

    Raises:
        UnsupportedOperation: always.
    """
    raise UnsupportedOperation("records of a signed log, which has entries and no state")


@rule(SPEC)
def parents_are_bare(case: ChainCase, trust: FollowedTrust) -> None:
    """The parents that updates show have no seals: their hashes say nothing of them, and nobody would read them.

    Raises:
        PredicateFailed: one has seals.
        MalformedInput: an update cannot be read.
    """
    rules = bft_evm.decode_client_state(trust.client_state).seal_rules
    for number, entry in enumerate(case.chain.headers, 1):
        if not has_bare_parent(entry, rules):
            raise PredicateFailed("parents_are_bare", f"the parent in update {number} has seals that go unread")


@rule(SPEC)
def block_is_shown(checkpoint: Checkpoint, entry: HeaderEntry | None) -> bytes:
    """The header of a Clique block: it stands in its update, or at the checkpoint in the checkpoint's file.

    Raises:
        PredicateFailed: neither has it.
        MalformedInput: the update cannot be read.
    """
    if entry is not None:
        update = clique.decode_header_message(entry.header)
        block = update.block_at(update.number)
        if block is not None:
            return encode_header(block.execution)
    elif checkpoint.header is not None:
        return checkpoint.header
    raise PredicateFailed("block_is_shown", "neither the bundle nor the checkpoint has the block's header")


@rule(SPEC)
def update_shows_the_root(checkpoint: Checkpoint, following: Following, entry: HeaderEntry | None) -> bytes:
    """The state root in the header of the last update, which was judged; at the checkpoint in the checkpoint's header.

    Raises:
        PredicateFailed: there is neither.
        MalformedInput: the header cannot be read.
    """
    if entry is not None:
        rules = bft_evm.decode_client_state(following.client_state).seal_rules
        return bft_evm.decode_header_message(entry.header, rules).execution.state_root
    if checkpoint.header is None:
        raise PredicateFailed("update_shows_the_root", "neither the bundle nor the checkpoint has the block's header")
    return decode_header(checkpoint.header).state_root


@rule(SPEC)
def attestations_stand_alone(case: ChainCase, height: Height) -> HeaderEntry:
    """One entry: the attested state, and as its commit the attestation of a state root.

    Raises:
        MalformedInput: there are more or fewer entries, something stands beside them, or attestors are rotated.
    """
    chain = case.chain
    if len(chain.headers) != 1 or chain.validator_sets or height.revision_number:
        raise MalformedInput("headers", "must be one attested state, of revision 0, without validator sets")
    entry = chain.headers[0]
    if entry.commit is None or entry.account_proof:
        raise MalformedInput("headers[0]", "must have an attestation of the state root as its commit, and nothing else")
    if is_rotation_update(entry.header):
        raise MalformedInput("headers[0]", "is a rotation of attestors, not a state")
    return entry


@rule(SPEC)
def attested_height_is_the_bundles(got: int, height: Height) -> None:
    """The attested state is of the bundle's height.

    Raises:
        PredicateFailed: it is of another.
    """
    if got != height.revision_height:
        raise PredicateFailed("attested_height_is_the_bundles", "another height", got, height.revision_height)
