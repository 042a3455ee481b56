"""`hutong verify clique`: branches of Clique headers as nodes serve them, judged from a checkpoint that the user
trusts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hutong.light_clients.clique import Header, SealedBlock, Snapshot, Vote, recover_signer, sealed_block
from hutong.light_clients.clique.predicates import SPEC
from hutong.light_clients.clique.types import MAX_HEADERS, MAX_OPEN_VOTES, MAX_SIGNERS, TrustedState
from hutong.light_clients.clique.verification import Options, judge_update
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    Judge,
    MalformedInput,
    PredicateFailed,
    cited,
    rule,
)
from hutong.relay.verify.checkpoint_files import document_in, named, whole_number
from hutong.relay.verify.evm_files import Served, read_served, served_of, time_s
from hutong.relay.verify.inputs import UnusableInput, parse_hex, parse_json, read_file

MEMBERS = "chain, height, hash, time, signers, period, epoch"
MAX_CONFIRMATIONS = MAX_HEADERS - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the user believes: a block of a chain, who may seal above it, and the chain's parameters."""

    chain: str
    state: TrustedState
    period_s: int
    epoch_length: int

    @property
    def number(self) -> int:
        """The block's number."""
        return self.state.snapshot.number

    def options(self, confirmations: int, trusting_period_s: int, clock_drift_s: int) -> Options:
        """The chain's parameters together with how far the user trusts.

        Args:
            confirmations: blocks above the one that is believed.
        """
        return Options(self.period_s, self.epoch_length, confirmations, trusting_period_s, clock_drift_s)


def _addresses(value: Any, what: str, most: int) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise UnusableInput(f"{what} is not a list of at most {most} addresses")
    return tuple(parse_hex(str(address), f"an address in {what}", 20) for address in value)


def _vote(value: Any, what: str) -> Vote:
    if not isinstance(value, Mapping) or set(value) != {"candidate", "signer"}:
        raise UnusableInput(f"a vote in {what} is not candidate and signer")
    return Vote(parse_hex(str(value["candidate"]), what, 20), parse_hex(str(value["signer"]), what, 20))


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint as JSON or, by suffix, TOML; UnusableInput where it is not one.

    `recents` and `votes` may be missing: then who sealed just below it, and what was voted before it, is not held
    against later blocks. A checkpoint block (a multiple of the epoch) has no votes.
    """
    document = document_in(path)
    get = partial(named, document, path)
    signers = _addresses(get("signers"), f"signers in {path}", MAX_SIGNERS)
    if not signers or len(set(signers)) != len(signers):
        raise UnusableInput(f"{path} lists no signers, or one twice")
    recents = _addresses(document.get("recents", []), f"recents in {path}", MAX_SIGNERS)
    votes = document.get("votes", [])
    if not isinstance(votes, list) or len(votes) > MAX_OPEN_VOTES:
        raise UnusableInput(f"votes in {path} is not a list of at most {MAX_OPEN_VOTES}")
    epoch_length = whole_number(get("epoch", "epoch_length"), f"epoch in {path}")
    if not epoch_length:
        raise UnusableInput(f"epoch in {path} must be positive")
    return Checkpoint(
        chain=str(get("chain", "chain_id"))[:80],
        state=TrustedState(
            timestamp_s=time_s(get("time", "timestamp"), f"time in {path}"),
            block_hash=parse_hex(str(get("hash")), f"hash in {path}", 32),
            total_difficulty=0,
            snapshot=Snapshot(
                whole_number(get("height", "number"), f"height in {path}"),
                tuple(sorted(signers)),
                recents,
                tuple(sorted({_vote(vote, f"votes in {path}") for vote in votes})),
            ),
        ),
        period_s=whole_number(get("period", "period_s"), f"period in {path}"),
        epoch_length=epoch_length,
    )


def read_blocks(files: Sequence[Path]) -> tuple[Served, ...]:
    """Blocks of all files, in their order; a file holds one, or a JSON list of them.

    Raises:
        UnusableInput: a file is not what it should be, or there are not 1 to MAX_HEADERS blocks.
    """
    blocks: list[Served] = []
    for path in files:
        data = read_file(path).strip()
        document = parse_json(data, str(path)) if data.startswith(b"[") else None
        if isinstance(document, list):
            blocks += [served_of(one, path) for one in document]
        else:
            blocks.append(read_served(path))
    if not 0 < len(blocks) <= MAX_HEADERS:
        raise UnusableInput(f"the files hold {len(blocks)} blocks, not 1 to {MAX_HEADERS}")
    return tuple(blocks)


def judge_file(
    judge: Judge,
    served: Sequence[Served],
    checkpoint: Checkpoint,
    options: Options,
    height: int | None,
    now_ns: int,
) -> None:
    """Every rule, in order. The checkpoint's block alone must be the very one; blocks above it, a branch.

    Args:
        height: of the block that is to be believed; None: the newest that has `options.confirmations` above it.
        now_ns: nanoseconds of Unix time.

    Raises:
        VerificationError: of the first rule that does not hold.
    """
    blocks = judge(headers_are_well_formed, served)
    judge(block_hashes_match, served)
    if len(blocks) == 1 and blocks[0].execution.number == checkpoint.number:
        judge(checkpoint_hash_matches, blocks[0], checkpoint)
        return
    believed = blocks[-1].execution.number - options.confirmations if height is None else height
    header = Header(Height(0, checkpoint.number), max(believed, 0), tuple(blocks), ())
    judge_update(judge, header, checkpoint.state, options, now_ns)


def _sorted(served: Sequence[Served]) -> list[SealedBlock]:
    return sorted((sealed_block(one.execution()) for one in served), key=lambda block: block.execution.number)


headers_are_well_formed = cited(_sorted, SPEC, "headers_are_well_formed")


@rule("EIP-225")
def block_hashes_match(served: Sequence[Served]) -> None:
    """A node names a block by the hash of its fields (EIP-225); header RLP has no name.

    Raises:
        PredicateFailed: a block has another name.
    """
    for one in served:
        if one.block is None:
            continue
        computed = sealed_block(one.execution()).hash
        if one.block.get("hash") != f"0x{computed.hex()}":
            raise PredicateFailed(
                "block_hashes_match", "hash in the file", got=one.block.get("hash"), expected=computed
            )


@rule(SPEC)
def checkpoint_hash_matches(block: SealedBlock, checkpoint: Checkpoint) -> None:
    """The block is the checkpoint's very one: hash, time, seal and listed signers.

    Raises:
        PredicateFailed: one of them differs.
    """
    name = "checkpoint_hash_matches"
    if block.hash != checkpoint.state.block_hash:
        raise PredicateFailed(name, "another block at the checkpoint's height", block.hash, checkpoint.state.block_hash)
    if block.execution.timestamp_s != checkpoint.state.timestamp_s:
        raise PredicateFailed(
            name, "the block's time is not the checkpoint's", block.execution.timestamp_s, checkpoint.state.timestamp_s
        )
    if block.execution.number and recover_signer(block) is None:
        raise PredicateFailed(name, "the block's seal is not a signature", block.seal)
    if block.signers and block.signers != checkpoint.state.snapshot.signers:
        raise PredicateFailed(name, "the block lists other signers than the checkpoint")


def subject_of(served: Sequence[Served], checkpoint: Checkpoint, now_ns: int) -> dict[str, str]:
    """What is judged, in the words of the files (not yet believed)."""
    try:
        blocks = _sorted(served)
        described = f"{blocks[0].execution.number} to {blocks[-1].execution.number}"
    except MalformedInput:
        described = "cannot be read"
    return {
        "headers": described,
        "checkpoint": f"chain {checkpoint.chain} height {checkpoint.number} {checkpoint.state.block_hash.hex()}",
        "signers": str(len(checkpoint.state.snapshot.signers)),
        "checkpoint time": f"{checkpoint.state.timestamp_s} s",
        "now": f"{now_ns // NANOSECONDS_PER_SECOND} s",
    }
