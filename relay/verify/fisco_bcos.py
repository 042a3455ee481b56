"""`hutong verify fisco`: blocks of FISCO BCOS 2 and 3 as nodes serve them, judged from a checkpoint that the user
trusts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.fisco_bcos import CryptoSuite, Generation, Header, Sealer, block_hash, header_from_rpc
from hutong.light_clients.fisco_bcos.predicates import SPEC
from hutong.light_clients.fisco_bcos.rpc_json import generation_of, suite_of
from hutong.light_clients.fisco_bcos.rpc_receipt import Inclusion, Kind, inclusion_from_rpc
from hutong.light_clients.fisco_bcos.types import (
    MAX_SEALERS,
    NANOSECONDS_PER_MILLISECOND,
    PUBLIC_KEY_BYTES,
    TrustedState,
    check_sealers,
)
from hutong.light_clients.fisco_bcos.verification import Options, judge_seals, judge_update
from hutong.light_clients.interface import (
    Height,
    Judge,
    MalformedInput,
    PredicateFailed,
    VerificationError,
    cited,
    rule,
)
from hutong.relay.verify.checkpoint_files import document_in, named, whole_number
from hutong.relay.verify.inputs import UnusableInput, parse_hex, parse_json, read_file
from hutong.relay.verify.tendermint import parse_time

RPC = "getBlockHeaderByNumber (2.x) or getBlockByNumber (3.x)"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the user believes: a block of a chain and the sealers that its header lists."""

    chain: str
    hash: bytes
    state: TrustedState

    @property
    def number(self) -> int:
        """The block's number."""
        return self.state.height.revision_height


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far trust reaches, in seconds."""

    trusting_period_s: int
    clock_drift_s: int


@dataclass(frozen=True, slots=True)
class Served:
    """What the files hold; nothing in it is believed. `inclusions` are answers of a transaction or receipt with its
    path."""

    block: Mapping[str, Any]
    inclusions: tuple[tuple[Kind, Mapping[str, Any]], ...]

    @property
    def generation(self) -> Generation:
        """2 or 3, by the members that the block has: the rules and encodings differ."""
        return generation_of(self.block)

    def parse(self) -> Header:
        """The header, whose hash and signatures are not judged yet.

        Raises:
            MalformedInput: the block has no well-formed header.
            UnsupportedOperation: a version whose encoding is not known.
        """
        return header_from_rpc(self.block, Height(0, 0))

    def transactions(self) -> int | None:
        """How many the node lists in the block; None where it lists none."""
        listed = self.block.get("transactions")
        return len(listed) if isinstance(listed, list) else None

    def named_hash(self) -> bytes:
        """The 32-byte hash that the node gives the block.

        Raises:
            MalformedInput: it gives none.
        """
        try:
            return parse_hex(str(self.block.get("hash")), "hash", 32)
        except UnusableInput as error:
            raise MalformedInput("block.hash", str(error)) from None


def _time_ms(value: Any, what: str) -> int:
    if isinstance(value, int) or (isinstance(value, str) and (value.isdigit() or value[:2] in ("0x", "0X"))):
        return whole_number(value, what)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return parse_time(text, what) // NANOSECONDS_PER_MILLISECOND


def read_checkpoint(path: Path) -> Checkpoint:
    """(chain, height, hash, time, sealers and in 3.x weights) as JSON or, by suffix, TOML; UnusableInput where it is
    not.

    `time` is RFC 3339 or milliseconds since 1970, as nodes write it; the names that nodes use are taken too.
    """
    document = document_in(path)
    listed = named(document, path, "sealers", "sealerList")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_SEALERS:
        raise UnusableInput(f"{path}: sealers is not a list of 1 to {MAX_SEALERS} keys")
    weights = next((document[key] for key in ("weights", "consensusWeights") if key in document), [1] * len(listed))
    if not isinstance(weights, list) or len(weights) != len(listed):
        raise UnusableInput(f"{path}: weights is not a list of one number a sealer")
    sealers = tuple(
        sorted(
            Sealer(
                parse_hex(str(key), f"a sealer in {path}", PUBLIC_KEY_BYTES),
                whole_number(weight, f"a weight in {path}"),
            )
            for key, weight in zip(listed, weights, strict=True)
        )
    )
    if len({sealer.public_key for sealer in sealers}) != len(sealers):
        raise UnusableInput(f"{path} lists a sealer twice")
    try:
        check_sealers(sealers, "sealers")
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error.reason}") from error
    return Checkpoint(
        chain=str(named(document, path, "chain", "chain_id"))[:80],
        hash=parse_hex(str(named(document, path, "hash")), f"hash in {path}", 32),
        state=TrustedState(
            height=Height(0, whole_number(named(document, path, "height", "number"), f"height in {path}")),
            timestamp_ms=_time_ms(named(document, path, "time", "timestamp"), f"time in {path}"),
            sealers=sealers,
        ),
    )


def read_served(block: Path, transaction: Path | None, receipt: Path | None) -> Served:
    """A block as nodes serve it, bare or in its envelope, and answers of what is claimed to be in it.

    Raises:
        UnusableInput: a file is no such answer, or an error of the node.
    """
    found = _result(block)
    if "sealerList" not in found or "signatureList" not in found:
        raise UnusableInput(f"{block} is not a {RPC} answer with sealerList and signatureList")
    claimed = ((Kind.TRANSACTION, transaction), (Kind.RECEIPT, receipt))
    return Served(found, tuple((kind, _result(path)) for kind, path in claimed if path is not None))


def _result(path: Path) -> Mapping[str, Any]:
    document = parse_json(read_file(path), str(path))
    if isinstance(document, Mapping) and document.get("error"):
        raise UnusableInput(f"{path} is an error response of the node")
    if isinstance(document, Mapping) and "result" in document:
        document = document["result"]
    if not isinstance(document, Mapping):
        raise UnusableInput(f"{path} is not a node's answer: a JSON object is expected")
    return document


def judge_file(judge: Judge, served: Served, checkpoint: Checkpoint, bounds: Bounds, now_ns: int) -> None:
    """Every rule, in order. At the checkpoint's height the block must be the very one; above it, be vouched for.

    What is claimed to be in the block is judged last.

    Args:
        now_ns: nanoseconds of Unix time.

    Raises:
        VerificationError: of the first rule that does not hold.
    """
    header = judge(header_is_well_formed, served)
    crypto_suite = judge(block_hash_matches, header, served)
    if header.block.number == checkpoint.number:
        judge(checkpoint_hash_matches, crypto_suite, header, checkpoint)
        judge_seals(judge, header, crypto_suite)
    else:
        if header.block.number == checkpoint.number + 1:
            judge(follows_checkpoint, header, checkpoint)
        options = Options(served.generation, crypto_suite, bounds.trusting_period_s, bounds.clock_drift_s)
        judge_update(judge, header, checkpoint.state, options, now_ns)
    is_generation_2 = served.generation is Generation.V2
    for kind, answer in served.inclusions:
        well_formed = cited(inclusion_from_rpc, SPEC, f"{kind}_is_well_formed")
        inclusion = judge(well_formed, answer, kind, crypto_suite, is_generation_2=is_generation_2)
        judge(cited(_included, SPEC, inclusion.predicate), inclusion, crypto_suite, header, served)


@rule(SPEC)
def header_is_well_formed(served: Served) -> Header:
    """Read the header of the node's answer.

    Raises:
        MalformedInput, UnsupportedOperation: as `Served.parse`.
    """
    return served.parse()


@rule(SPEC)
def block_hash_matches(header: Header, served: Served) -> CryptoSuite:
    """The node's hash is the header's own under one of the suites. Returns that suite.

    Raises:
        VerificationError: it is so under none.
    """
    return suite_of(header, served.named_hash())


def _included(inclusion: Inclusion, crypto_suite: CryptoSuite, header: Header, served: Served) -> None:
    inclusion.verify(crypto_suite, header.block, served.transactions())


@rule(SPEC)
def checkpoint_hash_matches(crypto_suite: CryptoSuite, header: Header, checkpoint: Checkpoint) -> None:
    """The block is the checkpoint's very one: hash, time and listed sealers with their weights.

    Raises:
        PredicateFailed: one of them differs.
    """
    name = "checkpoint_hash_matches"
    computed = block_hash(crypto_suite, header)
    if computed != checkpoint.hash:
        raise PredicateFailed(name, "another block at the checkpoint's height", computed, checkpoint.hash)
    trusted = checkpoint.state
    if header.block.timestamp_ms != trusted.timestamp_ms:
        raise PredicateFailed(
            name, "the block's time is not the checkpoint's", header.block.timestamp_ms, trusted.timestamp_ms
        )
    if tuple(sorted(header.block.sealers)) != trusted.sealers:
        raise PredicateFailed(name, "the block lists other sealers than the checkpoint")


@rule(SPEC)
def follows_checkpoint(header: Header, checkpoint: Checkpoint) -> None:
    """The checkpoint's block is the parent of the one above it.

    Raises:
        PredicateFailed: it has another parent.
    """
    if header.block.parent_hash != checkpoint.hash:
        raise PredicateFailed(
            "follows_checkpoint",
            "the parent is not the checkpoint's block",
            header.block.parent_hash,
            checkpoint.hash,
        )


def subject_of(served: Served, checkpoint: Checkpoint, now_ns: int) -> dict[str, str]:
    """What is judged, in the words of the files (not yet believed)."""
    try:
        header = served.parse()
        described = (
            f"{header.block.number} at {header.block.timestamp_ms} ms, generation {served.generation}, "
            f"{len(header.signatures)} signatures of {len(header.block.sealers)} sealers"
        )
    except VerificationError:
        described = "cannot be read"
    return {
        "header": described,
        **_what_is_shown(served),
        "checkpoint": f"chain {checkpoint.chain} height {checkpoint.number} {checkpoint.hash.hex()}",
        "checkpoint time": f"{checkpoint.state.timestamp_ms} ms",
        "now": f"{now_ns // NANOSECONDS_PER_MILLISECOND} ms",
    }


HASH_ALONE = (
    "by its hash alone. FISCO BCOS 3 does not tell a leaf of its trees from an inner node, so this hash may be an inner node's"
    " and no {kind}'s: take it as included only if you know the hash from elsewhere"
)
BY_FIELDS = "by its fields, which give the hash"


def _what_is_shown(served: Served) -> dict[str, str]:
    """Of each thing that is said to be in a block of generation 3: whether its fields or its hash alone are judged."""
    if served.generation is Generation.V2:
        return {}
    shown = {}
    for kind, answer in served.inclusions:
        try:
            crypto_suite = suite_of(served.parse(), served.named_hash())
            inclusion = inclusion_from_rpc(answer, kind, crypto_suite, is_generation_2=False)
        except VerificationError:
            shown[str(kind)] = "cannot be read"
            continue
        how = BY_FIELDS if inclusion.is_leaf else HASH_ALONE.format(kind=kind)
        shown[str(kind)] = f"{inclusion.leaf_hash.hex()}, {how}"
    return shown
