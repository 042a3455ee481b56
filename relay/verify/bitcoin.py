"""`hutong verify bitcoin`: headers, `gettxoutproof` answers and transactions, judged from a block that the user
trusts."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.bitcoin import (
    BlockHeader,
    MerkleBlock,
    Network,
    Transaction,
    decode_headers,
    decode_merkle_block,
    decode_message,
    decode_transaction,
    headers_needed_from,
    judge_run,
    message_for,
    parameters_of,
    state_from_ancestors,
)
from hutong.light_clients.bitcoin.chain import Run
from hutong.light_clients.bitcoin.merkle import not_ambiguous, partial_tree_matches
from hutong.light_clients.bitcoin.messages import Message, Places, find_places, judge_message
from hutong.light_clients.bitcoin.predicates import SPEC, confirmation_depth, headers_linked
from hutong.light_clients.bitcoin.types import MAX_HEIGHT, display
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, UnsupportedOperation, cited, rule
from hutong.relay.verify.inputs import UnusableInput, parse_hex, parse_json, read_file

MAX_FILE_HEADERS = 100_000
"""8 MB: two years of blocks."""
_HEX = re.compile(rb"([0-9a-fA-F]{2})+")
_SPACE = re.compile(rb"\s+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A block that the user believes. `block_hash` is in internal byte order."""

    height: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that the transaction must carry, paid for by the owner of `publisher_script` out of `funding`."""

    message: Message
    publisher_script: bytes
    funding: Transaction


@dataclass(frozen=True, slots=True)
class Shown:
    """What the files hold. Nothing in it is believed. `position` is the checkpoint's place among the headers."""

    network: Network
    checkpoint: Checkpoint
    headers: tuple[BlockHeader, ...]
    position: int | None
    proof: MerkleBlock | None
    transaction: Transaction | None
    coinbase: Transaction | None
    claim: Claim | None

    @property
    def first_height(self) -> int:
        """The height of the first header in the file, counted back from the checkpoint."""
        return self.checkpoint.height - (self.position or 0)

    def height_of(self, header: BlockHeader) -> int | None:
        """The height of a header that is in the file, at the checkpoint or above it; None for any other."""
        for index in range(self.position or 0, len(self.headers)):
            if self.headers[index] == header:
                return self.first_height + index
        return None


def parse_network(name: str) -> Network:
    """The network of that name, in any case of its letters.

    Raises:
        UnusableInput: no network has the name, or it cannot be judged by headers.
    """
    try:
        network = Network[name.upper()]
        parameters_of(network)
    except (KeyError, UnsupportedOperation):
        offered = ", ".join(n.name.lower() for n in Network if n is not Network.SIGNET)
        raise UnusableInput(f"--network {name[:40]} cannot be judged by headers; there are {offered}") from None
    return network


def read_checkpoint(path: Path) -> Checkpoint:
    """(height, hash) as JSON or, by suffix, TOML; `hash` as nodes show it, which is the reverse of its bytes.

    Raises:
        UnusableInput: the file is no such checkpoint.
    """
    data = read_file(path)
    if path.suffix == ".toml":
        try:
            document: object = tomllib.loads(data.decode())
        except (ValueError, RecursionError):
            raise UnusableInput(f"{path} is not TOML") from None
    else:
        document = parse_json(data, str(path))
    if not isinstance(document, Mapping) or not {"height", "hash"} <= document.keys():
        raise UnusableInput(f"{path} is not a checkpoint: it has height and hash of a block that you trust")
    height = document["height"]
    if not isinstance(height, int) or isinstance(height, bool) or not 0 <= height <= MAX_HEIGHT:
        raise UnusableInput(f"height in {path} is not a number within 0 and {MAX_HEIGHT}")
    return Checkpoint(height, parse_hex(str(document["hash"]), f"hash in {path}", HASH_BYTES)[::-1])


def read_bytes(path: Path) -> bytes:
    """Raw bytes, hex (in any lines), or the JSON answer of a node whose result is hex or a list of hex.

    Raises:
        UnusableInput: the file cannot be read, or is JSON without hex, or an error of the node.
    """
    data = read_file(path)
    text = _SPACE.sub(b"", data)
    if _HEX.fullmatch(text):
        return bytes.fromhex(text.decode())
    if text[:1] not in (b"{", b"[", b'"'):
        return data
    try:
        document = parse_json(data, str(path))
    except UnusableInput:
        return data
    if isinstance(document, Mapping):
        if document.get("error"):
            raise UnusableInput(f"{path} is an error response of the node")
        document = document.get("result")
    items = document if isinstance(document, list) else [document]
    if not all(isinstance(item, str) for item in items):
        raise UnusableInput(f"{path} holds no hex")
    return b"".join(parse_hex(item, f"result in {path}") for item in items)


def read_transaction(path: Path) -> Transaction:
    """A transaction with or without witness, in any form that `read_bytes` reads.

    Raises:
        UnusableInput: the file holds no transaction.
    """
    try:
        return decode_transaction(read_bytes(path), str(path), with_witness=True)
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None


def read_claim(key: str | None, value: str | None, publisher: str | None, funding: Path | None) -> Claim | None:
    """The message that four options describe; None where no option is given.

    Args:
        key, value, publisher: hex; `value` has 32 bytes, `publisher` is an output script.
        funding: a file with the transaction that the message's is paid out of.

    Raises:
        UnusableInput: a part of them is given, or one is not what it should be.
    """
    if key is None and value is None and publisher is None and funding is None:
        return None
    if key is None or value is None or publisher is None or funding is None:
        raise UnusableInput("a message is judged by --key, --value, --publisher and --funding together")
    script = parse_hex(publisher, "--publisher")
    message = message_for(parse_hex(key, "--key"), parse_hex(value, "--value", HASH_BYTES))
    return Claim(message, script, read_transaction(funding))


def read_shown(
    network: Network,
    checkpoint: Checkpoint,
    headers: Path,
    proof: Path | None,
    transaction: Path | None,
    coinbase: Path | None,
    claim: Claim | None = None,
) -> Shown:
    """Everything parsed, at most MAX_FILE_HEADERS headers.

    Raises:
        UnusableInput: a file is not what it should be, or the headers begin too late or too deep below the checkpoint.
    """
    try:
        decoded = decode_headers(read_bytes(headers), str(headers), MAX_FILE_HEADERS)
        merkle_block = None if proof is None else decode_merkle_block(read_bytes(proof), str(proof))
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None
    parsed = [None if path is None else read_transaction(path) for path in (transaction, coinbase)]
    position = next((i for i, header in enumerate(decoded) if header.block_hash == checkpoint.block_hash), None)
    if position is not None and position > checkpoint.height:
        raise UnusableInput(f"{headers} has more headers below the checkpoint than its height allows")
    if position is not None and checkpoint.height - position > headers_needed_from(checkpoint.height):
        raise UnusableInput(
            f"{headers} begins at height {checkpoint.height - position}: give the headers from "
            f"{headers_needed_from(checkpoint.height)} on, which the rules over the checkpoint's children read"
        )
    return Shown(network, checkpoint, decoded, position, merkle_block, parsed[0], parsed[1], claim)


_confirmation_depth = cited(confirmation_depth, SPEC)
_partial_tree_has_root = cited(
    partial_tree_matches, "Bitcoin Core CPartialMerkleTree; BIP37; CVE-2012-2459", "partial_tree_has_root"
)
_transaction_not_64_bytes = cited(not_ambiguous, "CVE-2017-12842", "transaction_not_64_bytes")
_difficulty_known = cited(state_from_ancestors, SPEC, "difficulty_known")


def judge_file(judge: Judge, shown: Shown, depth: int, now_ns: int) -> None:
    """Every rule, in order: the headers from the checkpoint on, then what the proof shows of a block among them.

    Args:
        depth: confirmations that the proof's block must have, itself included.
        now_ns: nanoseconds of Unix time, for the rule on headers from the future.

    Raises:
        VerificationError: of the first rule that does not hold.
    """
    position = judge(checkpoint_in_file, shown)
    judge(ancestors_linked, shown, position)
    parameters = parameters_of(shown.network)
    trusted = judge(_difficulty_known, shown.headers[: position + 1], shown.first_height, parameters)
    judge_run(judge, Run(trusted, shown.headers[position + 1 :], parameters), now_ns)
    if shown.proof is not None:
        _judge_proof(judge, shown, shown.proof, depth)


def _judge_proof(judge: Judge, shown: Shown, proof: MerkleBlock, depth: int) -> None:
    height = judge(block_in_headers, shown, proof)
    tip = shown.first_height + len(shown.headers) - 1
    judge(_confirmation_depth, height, tip, depth)
    matches = judge(_partial_tree_has_root, proof.tree, proof.header.merkle_root)
    if shown.coinbase is not None:
        judge(coinbase_sets_depth, shown.coinbase, matches)
    if shown.transaction is not None:
        judge(_transaction_not_64_bytes, shown.transaction)
        judge(transaction_matches, shown.transaction, matches)
        if shown.claim is not None:
            claim = shown.claim
            places = find_places(shown.transaction, claim.funding, claim.message) or Places(0, 0)
            judge_message(judge, shown.transaction, places, claim.funding, claim.publisher_script, claim.message)


@rule(SPEC)
def checkpoint_in_file(shown: Shown) -> int:
    """The checkpoint's block is among the headers. Returns its place, from 0.

    Raises:
        PredicateFailed: no header has its hash.
    """
    if shown.position is None:
        raise PredicateFailed(
            "checkpoint_in_file", "no header has the checkpoint's hash", expected=display(shown.checkpoint.block_hash)
        )
    return shown.position


@rule(SPEC)
def ancestors_linked(shown: Shown, position: int) -> None:
    """Headers below the checkpoint are its ancestors, so that its hash vouches for what is read of them.

    Raises:
        PredicateFailed: one is not the parent of the next.
    """
    for index in range(1, position + 1):
        headers_linked(shown.headers[index], shown.headers[index - 1].block_hash, shown.first_height + index)


@rule(SPEC)
def block_in_headers(shown: Shown, proof: MerkleBlock) -> int:
    """The proof's block is among the headers from the checkpoint on. Returns its height.

    Raises:
        PredicateFailed: it is not.
    """
    height = shown.height_of(proof.header)
    if height is None:
        raise PredicateFailed(
            "block_in_headers",
            "the proof's block is not among the headers from the checkpoint on",
            got=display(proof.header.block_hash),
        )
    return height


@rule(SPEC)
def coinbase_sets_depth(coinbase: Transaction, matches: Mapping[int, bytes]) -> None:
    """A coinbase where the tree has its first leaf: what it counts as leaves are transactions, not inner nodes.

    Args:
        matches: the proof's leaves, by their place in the block.

    Raises:
        PredicateFailed: the first leaf is not this coinbase, or the coinbase has 64 bytes (CVE-2017-12842).
    """
    not_ambiguous(coinbase)
    if not coinbase.is_coinbase or matches.get(0) != coinbase.txid:
        raise PredicateFailed(
            "coinbase_sets_depth",
            "the proof's first leaf is not this coinbase; ask gettxoutproof for both transactions",
            got=display(matches[0]) if 0 in matches else "no match",
            expected=display(coinbase.txid),
        )


@rule(SPEC)
def transaction_matches(transaction: Transaction, matches: Mapping[int, bytes]) -> None:
    """The proof is of this transaction.

    Args:
        matches: the proof's leaves, by their place in the block.

    Raises:
        PredicateFailed: it is of others alone.
    """
    if transaction.txid not in matches.values():
        raise PredicateFailed(
            "transaction_matches", "the proof is of other transactions", expected=display(transaction.txid)
        )


def subject_of(shown: Shown) -> dict[str, str]:
    """What is judged, for the reader; read off the files, so true only where every predicate held."""
    subject = {
        "network": shown.network.name.lower(),
        "checkpoint": f"{shown.checkpoint.height} {display(shown.checkpoint.block_hash)}",
    }
    if shown.position is not None:
        tip = shown.headers[-1]
        subject["tip"] = f"{shown.first_height + len(shown.headers) - 1} {display(tip.block_hash)}"
    if shown.proof is not None:
        height = shown.height_of(shown.proof.header)
        if height is not None:
            confirmations = shown.first_height + len(shown.headers) - height
            subject["block"] = f"{height} {display(shown.proof.header.block_hash)}, {confirmations} confirmations"
        subject["transactions"] = str(shown.proof.tree.transactions)
    if shown.transaction is not None:
        subject["transaction"] = display(shown.transaction.txid)
        for index, output in enumerate(shown.transaction.outputs):
            message = decode_message(output.script)
            if message is not None:
                subject[f"message in output {index}"] = (
                    f"key hash {message.key_hash.hex()}, value {message.value.hex()}"
                )
    return subject
