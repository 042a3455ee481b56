"""The headers of one chain in a bundle, each believed from the checkpoint, forward or backward, or refused."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import pairwise

from light_clients.interface import NANOSECONDS_PER_SECOND, Check, Height, MalformedInput, PredicateFailed
from light_clients.tendermint.rpc_json import format_time
from relay.archive.bundle import Bundle, ChainHeaders, HeaderEntry
from relay.archive.checkpoint import AttestationTrust, Checkpoint, EthereumTrust, FollowedTrust
from relay.audit import attested, ethereum, followed
from relay.audit.blocks import SPEC, Block, HeaderRules, ProvenState, Step
from relay.audit.light_clients import LIGHT_CLIENTS
from relay.audit.memory import HeaderMemory, RememberedState, digest_of, entry_size, held_before, remembered

CHECKPOINT = "docs/spec/checkpoint.md"


_in_words = lru_cache(maxsize=256)(format_time)
"""Each checkpoint's end is written in the verdict of every bundle."""


@dataclass(slots=True)
class JudgedChain:
    """What the steps of `chain_steps` leave behind once they have held."""

    bundle: Bundle
    chain: ChainHeaders
    checkpoint: Checkpoint
    rules: HeaderRules | None
    blocks: list[Block] = field(default_factory=list)
    states: dict[Height, ProvenState] = field(default_factory=dict)
    surroundings: bytes = field(init=False)
    """Of the chain and its validator sets: what every one of its headers is judged with."""

    def __post_init__(self) -> None:
        self.surroundings = digest_of(self.chain.chain_id.encode(), *self.chain.validator_sets)

    @property
    def mode(self) -> str:
        """By what the headers are believed, for people."""
        number = self.checkpoint.height
        if isinstance(self.checkpoint.trust, AttestationTrust):
            trust = self.checkpoint.trust
            return (
                f"attested by {trust.required_signatures} of {len(trust.attestors)} attestors that the checkpoint names"
            )
        if isinstance(self.checkpoint.trust, EthereumTrust):
            until = _in_words(self.checkpoint.expires_at_ns)
            return f"signed by sync committees, forward from checkpoint {number}, within its trusting period (until {until})"
        if isinstance(self.checkpoint.trust, FollowedTrust):
            until = _in_words(self.checkpoint.expires_at_ns)
            return f"followed from checkpoint {number} on, within its trusting period (until {until})"
        modes = []
        if any(block.height > number for block in self.blocks):
            until = _in_words(self.checkpoint.expires_at_ns)
            modes.append(f"forward from checkpoint {number}, within its trusting period (until {until})")
        if any(block.height < number for block in self.blocks):
            modes.append(f"backward from checkpoint {number} through parent hashes")
        return "; ".join(modes) or f"at checkpoint {number} itself"


def chain_steps(
    judged: JudgedChain, proof_heights: Iterable[Height], now_ns: int, memory: HeaderMemory
) -> Iterator[Step]:
    """Every predicate that makes the chain's headers believed, then those that proofs stand on, in order."""
    subject = f"chain {judged.chain.chain_id}"
    is_of_kind = partial(_is_of_kind, judged.chain, judged.checkpoint)
    yield Step(subject, Check("checkpoint_is_of_kind", CHECKPOINT, is_of_kind))
    if isinstance(judged.checkpoint.trust, EthereumTrust):
        yield from _ethereum_steps(judged, judged.checkpoint.trust, frozenset(proof_heights), now_ns)
    elif isinstance(judged.checkpoint.trust, FollowedTrust):
        yield from _followed_steps(judged, judged.checkpoint.trust, frozenset(proof_heights), now_ns)
    elif judged.rules is None:
        yield from _attested_steps(judged, frozenset(proof_heights), now_ns, memory)
    else:
        yield from _header_steps(judged, judged.rules, frozenset(proof_heights), now_ns, memory)


def _header_steps(
    judged: JudgedChain, rules: HeaderRules, proof_heights: frozenset[Height], now_ns: int, memory: HeaderMemory
) -> Iterator[Step]:
    chain, checkpoint = judged.chain, judged.checkpoint
    subject = f"chain {chain.chain_id}"
    yield Step(subject, Check("headers_well_formed", SPEC, lambda: judged.blocks.extend(_parsed(chain, rules, memory))))
    yield Step(subject, Check("headers_ascend", SPEC, partial(_ascend, judged.blocks)))
    anchor: list[Block] = []
    find = partial(_anchor, judged.blocks, rules, checkpoint, memory)
    yield Step(subject, Check("checkpoint_header_present", CHECKPOINT, lambda: anchor.append(find())))
    yield Step(subject, Check("checkpoint_hash_matches", CHECKPOINT, partial(_hash_matches, anchor[0], checkpoint)))
    for check in (*rules.identity_checks(anchor[0]), *rules.set_checks([anchor[0], *judged.blocks])):
        yield Step(subject, check)
    for block in judged.blocks:
        if block.height == checkpoint.height:
            yield from _at_checkpoint(judged, rules, block, memory)
    trusted = anchor[0]
    for block in judged.blocks:
        if block.height > checkpoint.height:
            step = f"{subject}, header {block.height}, forward from {trusted.height}"
            yield Step(step, Check("header_is_signed", SPEC, partial(_is_signed, block)))
            checks = rules.forward_checks(block, trusted, now_ns)
            yield from remembered(step, _key(judged, block.entry, trusted), checks, memory)
            trusted = block
    above = anchor[0]
    for block in reversed(judged.blocks):
        if block.height < checkpoint.height:
            step = f"{subject}, header {block.height}, backward from {above.height}"
            yield Step(step, Check("header_is_bare", SPEC, partial(_is_bare, block)))
            yield Step(step, Check("parent_hash_links", CHECKPOINT, partial(_links, block, above)))
            above = block
    yield from _state_steps(judged, rules, proof_heights, memory)


def _state_steps(
    judged: JudgedChain, rules: HeaderRules, proof_heights: frozenset[Height], memory: HeaderMemory
) -> Iterator[Step]:
    others = [block for block in judged.blocks if rules.height_of(block.height) not in proof_heights]
    subject = f"chain {judged.chain.chain_id}"
    yield Step(subject, Check("account_proofs_are_used", SPEC, partial(_no_account_proofs, others)))
    for block in judged.blocks:
        height = rules.height_of(block.height)
        subject = f"chain {judged.chain.chain_id}, header {block.height}"
        if height not in proof_heights:
            continue
        key = (judged.chain.chain_id, block.entry)
        found = memory.states.get(key)
        if found is None:
            found = RememberedState([], [])
            for check in rules.state_checks(block, found.states):
                yield Step(subject, check)
                found.passed.append(held_before(subject, check))
            size_bytes = entry_size(block.entry) + sum(_state_size(state) for state in found.states)
            memory.states.keep(key, found, size_bytes)  # reached only if every one of them held
        else:
            yield from found.passed
        judged.states[height] = found.states[0]


def _state_size(state: ProvenState) -> int:
    return len(state.client_state) + len(state.consensus_state)


def _attested_steps(
    judged: JudgedChain, proof_heights: frozenset[Height], now_ns: int, memory: HeaderMemory
) -> Iterator[Step]:
    """No header leads to another: each attestation stands by its own signatures, for the client that reads it."""
    checkpoint, trust = judged.checkpoint, judged.checkpoint.trust
    if not isinstance(trust, AttestationTrust):
        raise TypeError("an attested chain")
    reader = attested.reading_client(judged.bundle, judged.chain.chain_id)
    subject = f"chain {judged.chain.chain_id}, attested to {'/'.join(reader)}"
    state: list[bytes] = []
    make = partial(attested.client_state, checkpoint, trust, reader)
    yield Step(subject, Check("attested_for_this_client", SPEC, lambda: state.append(make())))
    heights: list[int] = []
    for entry in judged.chain.headers:
        checks = attested.entry_checks(judged.chain, entry, checkpoint, state[0], now_ns)
        # Whose attestation it is, and for whom, is in the state; that nothing stands beside it, in the entry.
        key = digest_of(judged.surroundings, state[0], entry.header, entry.commit or b"", *entry.account_proof)
        yield from remembered(subject, key, checks, memory)
        height, proven = attested.proven_state(entry, state[0])
        heights.append(height)
        judged.states[Height(0, height)] = proven
    yield Step(subject, Check("headers_are_used", SPEC, partial(_are_used, heights, proof_heights)))
    yield Step(subject, Check("attested_times_agree", SPEC, partial(_times_agree, judged.states, checkpoint)))


def _ethereum_steps(
    judged: JudgedChain, trust: EthereumTrust, proof_heights: frozenset[Height], now_ns: int
) -> Iterator[Step]:
    """As a light client that was created at the checkpoint, each update after the one before."""
    followed = ethereum.FollowedChain.begin(trust, Height(0, judged.checkpoint.height))
    for number, entry in enumerate(judged.chain.headers, 1):
        subject = f"chain {judged.chain.chain_id}, update {number} from checkpoint {judged.checkpoint.height}"
        for check in ethereum.entry_checks(judged.chain, entry, followed, proof_heights, now_ns):
            yield Step(subject, check)
    for height in proof_heights:
        state = followed.state_at(height)
        if state is not None:
            judged.states[height] = state


def _followed_steps(
    judged: JudgedChain, trust: FollowedTrust, proof_heights: frozenset[Height], now_ns: int
) -> Iterator[Step]:
    """As a light client that was created at the checkpoint, each update after the one before."""
    checkpoint, kind = judged.checkpoint, judged.chain.kind
    for check in followed.checkpoint_checks(checkpoint, trust):
        yield Step(f"chain {judged.chain.chain_id}", check)
    following = followed.Following.begin(kind, LIGHT_CLIENTS[kind], trust, Height(0, checkpoint.height))
    for number, entry in enumerate(judged.chain.headers, 1):
        subject = f"chain {judged.chain.chain_id}, update {number} from checkpoint {checkpoint.height}"
        for check in followed.entry_checks(judged.chain, entry, following, proof_heights, now_ns):
            yield Step(subject, check)
    for height in proof_heights:
        state = following.state_at(height)
        if state is not None:
            judged.states[height] = state


def _are_used(heights: list[int], proof_heights: frozenset[Height]) -> None:
    """Ascending, and a proof stands on each: an attestation leads to no other."""
    if heights != sorted(set(heights)) or {Height(0, height) for height in heights} != proof_heights:
        raise PredicateFailed("headers_are_used", "attested heights are not those of the proofs", got=heights)


def _times_agree(states: Mapping[Height, ProvenState], checkpoint: Checkpoint) -> None:
    """Signatures that would freeze a client prove its attestors' guilt, and nothing else."""
    known = [(Height(0, checkpoint.height), checkpoint.time_ns // NANOSECONDS_PER_SECOND)]
    known += [(height, state.time_ns // NANOSECONDS_PER_SECOND) for height, state in states.items()]
    for (lower, before_s), (higher, time_s) in pairwise(sorted(known)):
        if time_s < before_s or (lower == higher and time_s != before_s):
            raise PredicateFailed(
                "attested_times_agree", f"time goes back from height {lower} to {higher}", time_s, f">= {before_s}"
            )


def _at_checkpoint(judged: JudgedChain, rules: HeaderRules, block: Block, memory: HeaderMemory) -> Iterator[Step]:
    subject = f"chain {judged.chain.chain_id}, header {block.height}, at the checkpoint"
    yield Step(subject, Check("checkpoint_hash_matches", CHECKPOINT, partial(_hash_matches, block, judged.checkpoint)))
    if not block.is_bare:
        key = _key(judged, block.entry, block)
        yield from remembered(subject, key, rules.seal_checks(block), memory)


def _key(judged: JudgedChain, entry: HeaderEntry, trusted: Block) -> bytes:
    return digest_of(judged.surroundings, trusted.hash, entry.header, entry.commit or b"")


def _parsed(chain: ChainHeaders, rules: HeaderRules, memory: HeaderMemory) -> Iterator[Block]:
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
        yield block


def _is_of_kind(chain: ChainHeaders, checkpoint: Checkpoint) -> None:
    if chain.kind is not checkpoint.kind:
        raise PredicateFailed(
            "checkpoint_is_of_kind", "the checkpoint is of another kind of chain", chain.kind, checkpoint.kind
        )


def _ascend(blocks: list[Block]) -> None:
    for first, second in pairwise(blocks):
        if first.height >= second.height:
            raise PredicateFailed("headers_ascend", "headers are out of order", second.height, f"> {first.height}")


def _anchor(blocks: list[Block], rules: HeaderRules, checkpoint: Checkpoint, memory: HeaderMemory) -> Block:
    """From the bundle, or else from the checkpoint file; believed by neither, but by its hash."""
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


def _hash_matches(block: Block, checkpoint: Checkpoint) -> None:
    name = "checkpoint_hash_matches"
    if block.height != checkpoint.height:
        raise PredicateFailed(name, "header of another height", block.height, checkpoint.height)
    if block.hash != checkpoint.hash:
        raise PredicateFailed(name, "another block at the checkpoint's height", block.hash, checkpoint.hash)
    # The hash holds the exact time; a person may have written whole seconds.
    if block.time_ns // NANOSECONDS_PER_SECOND != checkpoint.time_ns // NANOSECONDS_PER_SECOND:
        raise PredicateFailed(name, "the block's time is not the checkpoint's", block.time_ns, checkpoint.time_ns)


def _is_signed(block: Block) -> None:
    if block.is_bare:
        raise PredicateFailed(
            "header_is_signed",
            "a header above the checkpoint is believed by signatures, and this one has none: "
            "export the bundle again with this checkpoint",
            got=block.height,
        )


def _is_bare(block: Block) -> None:
    if not block.is_bare:
        raise PredicateFailed(
            "header_is_bare",
            "a header below the checkpoint is believed by its hash, and signatures beside it go unread: "
            "export the bundle again with this checkpoint",
            got=block.height,
        )


def _links(block: Block, above: Block) -> None:
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


def _no_account_proofs(blocks: list[Block]) -> None:
    for block in blocks:
        if block.entry.account_proof:
            raise PredicateFailed("account_proofs_are_used", "no proof stands on this header", got=block.height)
