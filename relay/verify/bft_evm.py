"""`hutong verify qbft` and `ibft`: QBFT, IBFT 2.0 and Istanbul headers as nodes serve them, judged from a checkpoint
that the user trusts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.bft_evm import Consensus, Header, block_hash, header_of
from hutong.light_clients.bft_evm.predicates import SPEC
from hutong.light_clients.bft_evm.types import MAX_VALIDATORS, TrustedState
from hutong.light_clients.bft_evm.verification import Options, judge_seals, judge_update
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
from hutong.relay.verify.evm_files import Served, time_s
from hutong.relay.verify.inputs import UnusableInput, parse_hex

MEMBERS = "chain, height, hash, time, validators"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the user believes: a block of a chain and the validators that its header lists."""

    chain: str
    hash: bytes
    state: TrustedState

    @property
    def number(self) -> int:
        """The block's number."""
        return self.state.height.revision_height


def read_checkpoint(path: Path) -> Checkpoint:
    """(chain, height, hash, time, validators) as JSON or, by suffix, TOML; UnusableInput where it is not one.

    `time` is RFC 3339 or Unix seconds, `validators` a list of addresses, `hash` the block's own as nodes show it.
    """
    document = document_in(path)
    listed = named(document, path, "validators")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_VALIDATORS:
        raise UnusableInput(f"{path}: validators is not a list of 1 to {MAX_VALIDATORS} addresses")
    validators = {parse_hex(str(address), f"a validator in {path}", 20) for address in listed}
    if len(validators) != len(listed):
        raise UnusableInput(f"{path} lists a validator twice")
    return Checkpoint(
        chain=str(named(document, path, "chain", "chain_id"))[:80],
        hash=parse_hex(str(named(document, path, "hash")), f"hash in {path}", 32),
        state=TrustedState(
            height=Height(0, whole_number(named(document, path, "height", "number"), f"height in {path}")),
            timestamp_s=time_s(named(document, path, "time", "timestamp"), f"time in {path}"),
            validators=tuple(sorted(validators)),
        ),
    )


def parse(served: Served, consensus: Consensus) -> Header:
    """The header with its extra data as the consensus writes it; its hash and seals are not judged yet.

    Raises:
        MalformedInput: it is no header of this consensus.
    """
    return header_of(Height(0, 0), served.execution(), (), consensus)


header_is_well_formed = cited(parse, SPEC, "header_is_well_formed")


def judge_file(judge: Judge, served: Served, checkpoint: Checkpoint, options: Options, now_ns: int) -> None:
    """Every rule, in order. At the checkpoint's height the block must be the very one; above it, be vouched for.

    Args:
        now_ns: nanoseconds of Unix time.

    Raises:
        VerificationError: of the first rule that does not hold.
    """
    header = judge(header_is_well_formed, served, options.rules.consensus)
    if served.block is not None:
        judge(block_hash_matches, header, served.block)
    if header.execution.number == checkpoint.number:
        judge(checkpoint_hash_matches, header, checkpoint)
        judge_seals(judge, header, options.rules)
        return
    if header.execution.number == checkpoint.number + 1:
        judge(follows_checkpoint, header, checkpoint)
    judge_update(judge, header, checkpoint.state, options, now_ns)


@rule(SPEC)
def block_hash_matches(header: Header, block: Mapping[str, Any]) -> None:
    """The node names the block by the hash of its fields, without round and seals.

    Raises:
        PredicateFailed: the file has another hash, or none.
    """
    computed = block_hash(header.execution, header.extra)
    if block.get("hash") != f"0x{computed.hex()}":
        raise PredicateFailed("block_hash_matches", "hash in the file", got=block.get("hash"), expected=computed)


@rule(SPEC)
def checkpoint_hash_matches(header: Header, checkpoint: Checkpoint) -> None:
    """The header is the checkpoint's very block: hash, time and listed validators.

    Raises:
        PredicateFailed: one of them differs.
    """
    name = "checkpoint_hash_matches"
    computed = block_hash(header.execution, header.extra)
    if computed != checkpoint.hash:
        raise PredicateFailed(name, "another block at the checkpoint's height", computed, checkpoint.hash)
    if header.execution.timestamp_s != checkpoint.state.timestamp_s:
        raise PredicateFailed(
            name, "the block's time is not the checkpoint's", header.execution.timestamp_s, checkpoint.state.timestamp_s
        )
    if set(header.extra.validators) != set(checkpoint.state.validators):
        raise PredicateFailed(name, "the block lists other validators than the checkpoint")


@rule(SPEC)
def follows_checkpoint(header: Header, checkpoint: Checkpoint) -> None:
    """The checkpoint's block is the parent of the one above it.

    Raises:
        PredicateFailed: it has another parent.
    """
    parent = header.execution.parent_hash
    if parent != checkpoint.hash:
        raise PredicateFailed("follows_checkpoint", "the parent is not the checkpoint's block", parent, checkpoint.hash)


def subject_of(served: Served, checkpoint: Checkpoint, consensus: Consensus, now_ns: int) -> dict[str, str]:
    """What is judged, in the words of the file (not yet believed)."""
    try:
        header = parse(served, consensus)
        described = (
            f"{header.execution.number} at {header.execution.timestamp_s} s, state root "
            f"{header.execution.state_root.hex()}, {len(header.extra.seals)} seals of "
            f"{len(header.extra.validators)} validators"
        )
    except MalformedInput:
        described = "cannot be read"
    return {
        "header": described,
        "checkpoint": f"chain {checkpoint.chain} height {checkpoint.number} {checkpoint.hash.hex()}",
        "checkpoint time": f"{checkpoint.state.timestamp_s} s",
        "now": f"{now_ns // NANOSECONDS_PER_SECOND} s",
    }
