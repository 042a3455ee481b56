"""`hutong verify qbft`: QBFT headers as nodes serve them, judged from a checkpoint that the user trusts."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from light_clients.bft_evm import Header, block_hash, header_of
from light_clients.bft_evm.types import MAX_VALIDATORS, TrustedState
from light_clients.bft_evm.verification import SPEC, Committers, Options, seal_checks, update_checks
from light_clients.evm_header import decode_header, header_from_rpc
from light_clients.interface import NANOSECONDS_PER_SECOND, Check, Height, MalformedInput, PredicateFailed
from relay.cli.verdicts import UnusableInput, parse_hex, parse_json, read_file
from relay.cli.verify_tendermint import parse_time

RPC = "eth_getBlockByNumber"
_HEX_FILE = re.compile(rb'"?(0[xX])?([0-9a-fA-F]{2})+"?')


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the user believes: a block of a chain and the validators that its header lists."""

    chain: str
    hash: bytes
    state: TrustedState

    @property
    def number(self) -> int:
        return self.state.height.revision_height


@dataclass(frozen=True, slots=True)
class Served:
    """What the file holds: an RPC block, or a header's RLP. Nothing in it is believed."""

    block: Mapping[str, Any] | None
    header_rlp: bytes

    def parse(self) -> Header:
        """Raises MalformedInput."""
        execution = decode_header(self.header_rlp) if self.block is None else header_from_rpc(self.block)
        return header_of(Height(0, 0), execution, ())


def _document(path: Path) -> Mapping[str, Any]:
    data = read_file(path)
    if path.suffix == ".toml":
        try:
            return tomllib.loads(data.decode())
        except (ValueError, RecursionError):
            raise UnusableInput(f"{path} is not TOML") from None
    document = parse_json(data, str(path))
    if not isinstance(document, Mapping):
        raise UnusableInput(f"{path} is not a JSON object")
    return document


def _named(document: Mapping[str, Any], path: Path, *names: str) -> Any:
    for name in names:
        if document.get(name) is not None:
            return document[name]
    raise UnusableInput(f"{path} has no {names[0]}: a checkpoint is (chain, height, hash, time, validators)")


def _number(value: Any, what: str) -> int:
    """A number, or a decimal or 0x text of one."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        text = str(value)
        if re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}", text) is None:
            raise UnusableInput(f"{what} is not a number: {text[:40]}")
        number = int(text, 16 if text[:2] in ("0x", "0X") else 10)
    if not 0 <= number < 2**64:
        raise UnusableInput(f"{what} is not within 0 and 2^64 - 1")
    return number


def _time_s(value: Any, what: str) -> int:
    if isinstance(value, int) or (isinstance(value, str) and value[:2] in ("0x", "0X")):
        return _number(value, what)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return parse_time(text, what) // NANOSECONDS_PER_SECOND


def read_checkpoint(path: Path) -> Checkpoint:
    """(chain, height, hash, time, validators) as JSON or, by suffix, TOML; UnusableInput where it is not one.

    `time` is RFC 3339 or Unix seconds, `validators` a list of addresses, `hash` the block's own as nodes show it.
    """
    document = _document(path)
    listed = _named(document, path, "validators")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_VALIDATORS:
        raise UnusableInput(f"{path}: validators is not a list of 1 to {MAX_VALIDATORS} addresses")
    validators = {parse_hex(str(address), f"a validator in {path}", 20) for address in listed}
    if len(validators) != len(listed):
        raise UnusableInput(f"{path} lists a validator twice")
    return Checkpoint(
        chain=str(_named(document, path, "chain", "chain_id"))[:80],
        hash=parse_hex(str(_named(document, path, "hash")), f"hash in {path}", 32),
        state=TrustedState(
            height=Height(0, _number(_named(document, path, "height", "number"), f"height in {path}")),
            timestamp_s=_time_s(_named(document, path, "time", "timestamp"), f"time in {path}"),
            validators=tuple(sorted(validators)),
        ),
    )


def read_served(path: Path) -> Served:
    """An `eth_getBlockByNumber` answer, bare or in its envelope, or a header's RLP in hex."""
    data = read_file(path).strip()
    if _HEX_FILE.fullmatch(data):
        return Served(None, parse_hex(data.strip(b'"').decode(), str(path)))
    document = parse_json(data, str(path))
    if isinstance(document, Mapping) and document.get("error"):
        raise UnusableInput(f"{path} is an error response of the node")
    if isinstance(document, Mapping) and "result" in document:
        document = document["result"]
    if isinstance(document, Mapping) and isinstance(document.get("headerRlp"), str):
        return Served(None, parse_hex(document["headerRlp"], f"headerRlp in {path}"))
    if not isinstance(document, Mapping) or "extraData" not in document:
        raise UnusableInput(f"{path} is neither an {RPC} answer nor header RLP in hex")
    return Served(document, b"")


def file_checks(served: Served, checkpoint: Checkpoint, options: Options, now_ns: int) -> Iterator[Check]:
    """Every predicate, in order. At the checkpoint's height the block must be the very one; above it, be vouched for."""
    parsed: list[Header] = []
    yield Check("header_is_well_formed", SPEC, lambda: parsed.append(served.parse()))
    header = parsed[0]
    if served.block is not None:
        yield Check("block_hash_matches", SPEC, partial(_block_hash_matches, header, served.block))
    if header.execution.number == checkpoint.number:
        yield Check("checkpoint_hash_matches", SPEC, partial(_is_checkpoint, header, checkpoint))
        yield from seal_checks(header, Committers(header), options.rules)
        return
    if header.execution.number == checkpoint.number + 1:
        yield Check("follows_checkpoint", SPEC, partial(_follows_checkpoint, header, checkpoint))
    yield from update_checks(header, checkpoint.state, options, now_ns)


def _block_hash_matches(header: Header, block: Mapping[str, Any]) -> None:
    """The node names the block by the hash of its fields, without round and seals."""
    computed = block_hash(header.execution, header.extra)
    if block.get("hash") != f"0x{computed.hex()}":
        raise PredicateFailed("block_hash_matches", "hash in the file", got=block.get("hash"), expected=computed)


def _is_checkpoint(header: Header, checkpoint: Checkpoint) -> None:
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


def _follows_checkpoint(header: Header, checkpoint: Checkpoint) -> None:
    parent = header.execution.parent_hash
    if parent != checkpoint.hash:
        raise PredicateFailed("follows_checkpoint", "the parent is not the checkpoint's block", parent, checkpoint.hash)


def subject_of(served: Served, checkpoint: Checkpoint, now_ns: int) -> dict[str, str]:
    """What is judged, in the words of the file (not yet believed)."""
    try:
        header = served.parse()
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
