"""The headers of one chain in a bundle, each believed from the checkpoint, forward or backward, or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput, PredicateFailed, rule
from hutong.light_clients.tendermint.rpc_json import format_time
from hutong.relay.archive.bundle import Bundle, ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import AttestationTrust, Checkpoint, EthereumTrust, FollowedTrust
from hutong.relay.audit import attested, ethereum, followed, logged
from hutong.relay.audit.blocks import SPEC, Block, HeaderRules, ProvenState
from hutong.relay.audit.following import Following
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.light_clients import LIGHT_CLIENTS
from hutong.relay.audit.memory import HeaderMemory, RememberedState, digest_of, entry_size, kept, remembered

CHECKPOINT = "docs/spec/checkpoint.md"


_in_words = lru_cache(maxsize=256)(format_time)
"""Each checkpoint's end is written in the verdict of every bundle."""


@dataclass(frozen=True, slots=True)
class ChainCase:
    """The headers of one chain in a bundle, and by what they are to be believed.

    `rules` is None for chains whose headers are judged by a light client's own updates. `proof_heights`: of which a proof is
    in the bundle.
    """

    bundle: Bundle
    chain: ChainHeaders
    checkpoint: Checkpoint
    rules: HeaderRules | None
    proof_heights: frozenset[Height]
    surroundings: bytes = field(init=False)
    """Of the chain and its validator sets: what every one of its headers is judged with."""

    def __post_init__(self) -> None:
        digest = digest_of(self.chain.chain_id.encode(), *self.chain.validator_sets)
        object.__setattr__(self, "surroundings", digest)

    @property
    def subject(self) -> str:
        """What verdicts about the chain as a whole are about."""
        return f"chain {self.chain.chain_id}"


@dataclass(frozen=True, slots=True)
class JudgedChain:
    """A chain whose headers are believed: what proofs may stand on, and by what for people."""

    chain: ChainHeaders
    checkpoint: Checkpoint
    states: Mapping[Height, ProvenState]
    mode: str


def judge_chain(inquiry: Inquiry, case: ChainCase, now_ns: int, memory: HeaderMemory) -> JudgedChain:
    """Every rule that makes the chain's headers believed, then those that proofs stand on, in order.

    Args:
        now_ns: time of judgement, nanoseconds of Unix time.
        memory: of the same checkpoints and the same time; what held before is said again without its work.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard.
    """
    inquiry.about(case.subject)(checkpoint_is_of_kind, case.chain, case.checkpoint)
    checkpoint, trust = case.checkpoint, case.checkpoint.trust
    if case.chain.kind is ChainKind.TLOG and isinstance(trust, FollowedTrust):
        states = _judge_logged(inquiry, case, trust, now_ns, memory)
        mode = logged.mode(trust)
    elif isinstance(trust, EthereumTrust | FollowedTrust):
        following = judge_updates(inquiry, case, trust, now_ns)
        found = {height: following.state_at(height) for height in case.proof_heights}
        states = {height: state for height, state in found.items() if state is not None}
        mode = update_mode(checkpoint, trust)
    elif isinstance(trust, AttestationTrust):
        states = _judge_attested(inquiry, case, trust, now_ns, memory)
        mode = attested_mode(trust)
    else:
        if case.rules is None:
            raise TypeError(f"no rules for the headers of {case.chain.chain_id}")
        blocks = judge_headers(inquiry, case, case.rules, now_ns, memory).blocks
        states = _judge_states(inquiry, case, case.rules, blocks, memory)
        mode = header_mode(checkpoint, blocks)
    return JudgedChain(case.chain, checkpoint, states, mode)


def update_mode(checkpoint: Checkpoint, trust: EthereumTrust | FollowedTrust) -> str:
    """By what headers that are updates are believed, for people."""
    within = f"within its trusting period (until {_in_words(checkpoint.expires_at_ns)})"
    if isinstance(trust, EthereumTrust):
        return f"signed by sync committees, forward from checkpoint {checkpoint.height}, {within}"
    return f"followed from checkpoint {checkpoint.height} on, {within}"


def attested_mode(trust: AttestationTrust) -> str:
    """By what attested states are believed, for people."""
    return f"attested by {trust.required_signatures} of {len(trust.attestors)} attestors that the checkpoint names"


def header_mode(checkpoint: Checkpoint, blocks: Sequence[Block]) -> str:
    """By what the headers of a bundle are believed, for people."""
    number = checkpoint.height
    modes = []
    if any(block.height > number for block in blocks):
        until = _in_words(checkpoint.expires_at_ns)
        modes.append(f"forward from checkpoint {number}, within its trusting period (until {until})")
    if any(block.height < number for block in blocks):
        modes.append(f"backward from checkpoint {number} through parent hashes")
    return "; ".join(modes) or f"at checkpoint {number} itself"


@dataclass(frozen=True, slots=True)
class BelievedHeaders:
    """Headers of one chain, each of which is believed: that of the checkpoint, and those of the bundle, ascending."""

    anchor: Block
    blocks: list[Block]

    def at(self, number: int) -> Block | None:
        """The header of that height; None where neither has it."""
        return next((block for block in (*self.blocks, self.anchor) if block.height == number), None)


def judge_headers(
    inquiry: Inquiry, case: ChainCase, rules: HeaderRules, now_ns: int, memory: HeaderMemory
) -> BelievedHeaders:
    """Every rule that makes headers believed, forward and backward from the checkpoint; nothing is said of their state.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard.
    """
    checkpoint = case.checkpoint
    judge = inquiry.about(case.subject)
    blocks = judge(headers_well_formed, case.chain, rules, memory)
    judge(headers_ascend, blocks)
    anchor = judge(checkpoint_header_present, blocks, rules, checkpoint, memory)
    judge(checkpoint_hash_matches, anchor, checkpoint)
    rules.judge_identity(judge, anchor)
    rules.judge_sets(judge, [anchor, *blocks])
    for block in blocks:
        if block.height == checkpoint.height:
            subject = f"{case.subject}, header {block.height}, at the checkpoint"
            inquiry.about(subject)(checkpoint_hash_matches, block, checkpoint)
            if not block.is_bare:
                remembered(inquiry, memory, subject, _key(case, block.entry, block), rules.judge_seals, block)
    trusted = anchor
    for block in blocks:
        if block.height > checkpoint.height:
            subject = f"{case.subject}, header {block.height}, forward from {trusted.height}"
            inquiry.about(subject)(header_is_signed, block)
            key = _key(case, block.entry, trusted)
            remembered(inquiry, memory, subject, key, rules.judge_forward, block, trusted, now_ns)
            trusted = block
    above = anchor
    for block in reversed(blocks):
        if block.height < checkpoint.height:
            backward = inquiry.about(f"{case.subject}, header {block.height}, backward from {above.height}")
            backward(header_is_bare, block)
            backward(parent_hash_links, block, above)
            above = block
    return BelievedHeaders(anchor, blocks)


def _judge_states(
    inquiry: Inquiry, case: ChainCase, rules: HeaderRules, blocks: Sequence[Block], memory: HeaderMemory
) -> dict[Height, ProvenState]:
    others = [block for block in blocks if rules.height_of(block.height) not in case.proof_heights]
    inquiry.about(case.subject)(account_proofs_are_used, others)
    states: dict[Height, ProvenState] = {}
    for block in blocks:
        height = rules.height_of(block.height)
        if height not in case.proof_heights:
            continue
        key = (case.chain.chain_id, block.entry)
        found = memory.states.get(key)
        if found is None:
            subject = f"{case.subject}, header {block.height}"
            found = RememberedState(*kept(inquiry, subject, rules.judge_state, block))
            memory.states.keep(key, found, entry_size(block.entry) + _state_size(found.state))
        else:
            inquiry.repeat(found.passed)
        states[height] = found.state
    return states


def _state_size(state: ProvenState) -> int:
    return len(state.client_state) + len(state.consensus_state)


def _judge_attested(
    inquiry: Inquiry, case: ChainCase, trust: AttestationTrust, now_ns: int, memory: HeaderMemory
) -> dict[Height, ProvenState]:
    """No header leads to another: each attestation stands by its own signatures, for the client that reads it."""
    checkpoint = case.checkpoint
    reader = attested.reading_client(case.bundle, case.chain.chain_id)
    subject = f"{case.subject}, attested to {'/'.join(reader)}"
    judge = inquiry.about(subject)
    state = judge(attested.attested_for_this_client, checkpoint, trust, reader)
    heights: list[int] = []
    states: dict[Height, ProvenState] = {}
    for entry in case.chain.headers:
        # Whose attestation it is, and for whom, is in the state; that nothing stands beside it, in the entry.
        key = digest_of(case.surroundings, state, entry.header, entry.commit or b"", *entry.account_proof)
        remembered(inquiry, memory, subject, key, attested.judge_entry, case.chain, entry, checkpoint, state, now_ns)
        height, proven = attested.proven_state(entry, state)
        heights.append(height)
        states[Height(0, height)] = proven
    judge(headers_are_used, heights, case.proof_heights)
    judge(attested_times_agree, states, checkpoint)
    return states


def _judge_logged(
    inquiry: Inquiry, case: ChainCase, trust: FollowedTrust, now_ns: int, memory: HeaderMemory
) -> dict[Height, ProvenState]:
    """No tree leads to another: each stands by what log and witnesses signed, as the checkpoint names them."""
    inquiry.about(case.subject)(followed.checkpoint_hash_matches, case.checkpoint, trust)
    sizes: list[int] = []
    states: dict[Height, ProvenState] = {}
    for number, entry in enumerate(case.chain.headers, 1):
        subject = f"{case.subject}, tree {number}"
        key = digest_of(case.surroundings, entry.header, entry.commit or b"", *entry.account_proof)
        remembered(inquiry, memory, subject, key, logged.judge_entry, case.chain, entry, trust, now_ns)
        size, state = logged.proven_state(entry, trust)
        sizes.append(size)
        states[Height(0, size)] = state
    inquiry.about(case.subject)(headers_are_used, sizes, case.proof_heights)
    return states


def judge_updates(inquiry: Inquiry, case: ChainCase, trust: EthereumTrust | FollowedTrust, now_ns: int) -> Following:
    """As a light client that was created at the checkpoint, each update after the one before. Returns that client.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard.
    """
    checkpoint = case.checkpoint
    if isinstance(trust, FollowedTrust):
        inquiry.about(case.subject)(followed.checkpoint_hash_matches, checkpoint, trust)
    judge_entry = ethereum.judge_entry if isinstance(trust, EthereumTrust) else followed.judge_entry
    following = Following.begin(LIGHT_CLIENTS[case.chain.kind], trust, Height(0, checkpoint.height))
    for number, entry in enumerate(case.chain.headers, 1):
        judge = inquiry.about(f"{case.subject}, update {number} from checkpoint {checkpoint.height}")
        following = judge_entry(judge, case.chain, entry, following, case.proof_heights, now_ns)
    return following


@rule(SPEC)
def headers_are_used(heights: list[int], proof_heights: frozenset[Height]) -> None:
    """Heights of attestations, or sizes of a log's trees, ascend, and a proof stands on each: none leads to another.

    Raises:
        PredicateFailed: they are not exactly the heights of the proofs.
    """
    if heights != sorted(set(heights)) or {Height(0, height) for height in heights} != proof_heights:
        raise PredicateFailed("headers_are_used", "heights are not those of the proofs", got=heights)


@rule(SPEC)
def attested_times_agree(states: Mapping[Height, ProvenState], checkpoint: Checkpoint) -> None:
    """Attested times do not go back with height, the checkpoint's own included, in whole seconds.

    Signatures that would freeze a client prove its attestors' guilt, and nothing else.

    Raises:
        PredicateFailed: time goes back, or the checkpoint's height has another time.
    """
    known = [(Height(0, checkpoint.height), checkpoint.time_ns // NANOSECONDS_PER_SECOND)]
    known += [(height, state.time_ns // NANOSECONDS_PER_SECOND) for height, state in states.items()]
    for (lower, before_s), (higher, time_s) in pairwise(sorted(known)):
        if time_s < before_s or (lower == higher and time_s != before_s):
            raise PredicateFailed(
                "attested_times_agree", f"time goes back from height {lower} to {higher}", time_s, f">= {before_s}"
            )


def _key(case: ChainCase, entry: HeaderEntry, trusted: Block) -> bytes:
    return digest_of(case.surroundings, trusted.hash, entry.header, entry.commit or b"")


@rule(SPEC)
def headers_well_formed(chain: ChainHeaders, rules: HeaderRules, memory: HeaderMemory) -> list[Block]:
    """Reads every header, or remembers it. Nothing makes them believed yet.

    Raises:
        MalformedInput: the field begins with the header's place in the bundle, `headers[n]`.
    """
    blocks = []
    for index, entry in enumerate(chain.headers):
        key = (rules.reading, entry)
        block = memory.blocks.get(key)
        if block is None:
            try:
                block = rules.parse(entry)
            except MalformedInput as error:
                field = f"headers[{index}].{error.field}"
                raise MalformedInput(field, error.reason, error.got, error.expected) from error
            memory.blocks.keep(key, block, entry_size(entry))
        blocks.append(block)
    return blocks


@rule(CHECKPOINT)
def checkpoint_is_of_kind(chain: ChainHeaders, checkpoint: Checkpoint) -> None:
    """Chain and checkpoint are of one kind of consensus.

    Raises:
        PredicateFailed: the checkpoint is of another kind.
    """
    if chain.kind is not checkpoint.kind:
        raise PredicateFailed(
            "checkpoint_is_of_kind", "the checkpoint is of another kind of chain", chain.kind, checkpoint.kind
        )


@rule(SPEC)
def headers_ascend(blocks: list[Block]) -> None:
    """Heights ascend, so that none is there twice.

    Raises:
        PredicateFailed: a header is not higher than the one before it.
    """
    for first, second in pairwise(blocks):
        if first.height >= second.height:
            raise PredicateFailed("headers_ascend", "headers are out of order", second.height, f"> {first.height}")


@rule(CHECKPOINT)
def checkpoint_header_present(
    blocks: list[Block], rules: HeaderRules, checkpoint: Checkpoint, memory: HeaderMemory
) -> Block:
    """The header at the checkpoint's height, from the bundle, or else from the checkpoint file. It is believed by its
    hash alone.

    Raises:
        PredicateFailed: neither has it.
        MalformedInput: the checkpoint's cannot be read.
    """
    for block in blocks:
        if block.height == checkpoint.height:
            return block
    if checkpoint.header is not None:
        key = (rules.reading, HeaderEntry(checkpoint.header))
        known = memory.blocks.get(key)
        if known is None:
            known = rules.parse_checkpoint_header(checkpoint.header)
            memory.blocks.keep(key, known, len(checkpoint.header))
        return known
    raise PredicateFailed(
        "checkpoint_header_present",
        "neither the bundle nor the checkpoint has the header at the checkpoint: export the bundle with it",
        expected=checkpoint.height,
    )


@rule(CHECKPOINT)
def checkpoint_hash_matches(block: Block, checkpoint: Checkpoint) -> None:
    """The block is the checkpoint's very one: height, hash, and time in whole seconds.

    Raises:
        PredicateFailed: one of the three differs.
    """
    name = "checkpoint_hash_matches"
    if block.height != checkpoint.height:
        raise PredicateFailed(name, "header of another height", block.height, checkpoint.height)
    if block.hash != checkpoint.hash:
        raise PredicateFailed(name, "another block at the checkpoint's height", block.hash, checkpoint.hash)
    # The hash holds the exact time; a person may have written whole seconds.
    if block.time_ns // NANOSECONDS_PER_SECOND != checkpoint.time_ns // NANOSECONDS_PER_SECOND:
        raise PredicateFailed(name, "the block's time is not the checkpoint's", block.time_ns, checkpoint.time_ns)


@rule(SPEC)
def header_is_signed(block: Block) -> None:
    """A header above the checkpoint is not bare: there only signatures make it believed.

    Raises:
        PredicateFailed: it has no signatures.
    """
    if block.is_bare:
        raise PredicateFailed(
            "header_is_signed",
            "a header above the checkpoint is believed by signatures, and this one has none: "
            "export the bundle again with this checkpoint",
            got=block.height,
        )


@rule(SPEC)
def header_is_bare(block: Block) -> None:
    """A header below the checkpoint is bare: there only its hash makes it believed, and signatures would go unread.

    Raises:
        PredicateFailed: it has signatures.
    """
    if not block.is_bare:
        raise PredicateFailed(
            "header_is_bare",
            "a header below the checkpoint is believed by its hash, and signatures beside it go unread: "
            "export the bundle again with this checkpoint",
            got=block.height,
        )


@rule(CHECKPOINT)
def parent_hash_links(block: Block, above: Block) -> None:
    """The block is the parent that the believed one above it names.

    Raises:
        PredicateFailed: the block above is not the next one, or names another parent.
    """
    name = "parent_hash_links"
    if above.height != block.height + 1:
        raise PredicateFailed(
            name,
            "the header above is missing: export the bundle again with this checkpoint",
            above.height,
            block.height + 1,
        )
    if above.parent_hash != block.hash:
        raise PredicateFailed(name, "is not the parent of the header above", block.hash, above.parent_hash)


@rule(SPEC)
def account_proofs_are_used(blocks: list[Block]) -> None:
    """Headers on which no proof stands carry no account proof.

    Args:
        blocks: those headers.

    Raises:
        PredicateFailed: one carries an account proof.
    """
    for block in blocks:
        if block.entry.account_proof:
            raise PredicateFailed("account_proofs_are_used", "no proof stands on this header", got=block.height)
