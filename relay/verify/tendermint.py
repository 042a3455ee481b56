"""`hutong verify tendermint`: CometBFT headers as nodes serve them, judged from a checkpoint that the user trusts."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Judge,
    MalformedInput,
    PredicateFailed,
    VerificationError,
    cited,
    rule,
)
from hutong.light_clients.tendermint import rpc_json
from hutong.light_clients.tendermint.hashing import header_hash, validator_set_hash
from hutong.light_clients.tendermint.predicates import CommitSignatures, chain_id_matches, trust_level_in_range
from hutong.light_clients.tendermint.types import KeyType, LightBlock, PublicKey, SignedHeader, TrustLevel, ValidatorSet
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_commit, judge_update
from hutong.relay.verify.inputs import UnusableInput, parse_hex, parse_json, read_file

SPEC = "docs/spec/tendermint-client.md"
RPC = "cometbft RPC"
MAX_NESTING = 4
MAX_ANSWERS = 128
"""In one file: a commit and 100 pages of 100 validators fit."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the user believes: a block of a chain and the validators known there.

    `announced`: the validators are those that the block announced as next; else they are the block's own.
    """

    chain_id: str
    height: int
    hash: bytes
    time_ns: int
    validators: ValidatorSet
    announced: bool


@dataclass(slots=True)
class Served:
    """Parts of RPC answers, not yet parsed; nothing in them is believed."""

    signed_headers: list[Any] = field(default_factory=list)
    validators: list[Any] = field(default_factory=list)
    proposer: Any = None


def parse_time(text: str, what: str) -> int:
    """Nanoseconds of Unix time from RFC 3339 in UTC or from Unix seconds of at most 12 digits.

    Args:
        what: names the value in a refusal.

    Raises:
        UnusableInput: it is neither.
    """
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text) * NANOSECONDS_PER_SECOND
    try:
        return rpc_json.parse_time_ns(text, what)
    except MalformedInput as error:
        raise UnusableInput(f"{what}: neither an RFC 3339 time in UTC nor Unix seconds: {text[:60]}") from error


def parse_trust_level(text: str) -> TrustLevel:
    """A fraction from `1/3` to `1/1`.

    Raises:
        UnusableInput: it is no fraction, or below or above that.
    """
    numerator, slash, denominator = text.partition("/")
    if not slash or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (numerator, denominator)):
        raise UnusableInput(f"--trust-level is not a fraction such as 1/3: {text[:40]}")
    level = TrustLevel(int(numerator), int(denominator))
    try:
        trust_level_in_range(level)
    except PredicateFailed as error:
        raise UnusableInput(f"--trust-level: {error}") from error
    return level


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


def _key(document: Mapping[str, Any], *names: str) -> Any:
    for name in names:
        if document.get(name) is not None:
            return document[name]
    return None


def _named(document: Mapping[str, Any], path: Path, *names: str) -> Any:
    value = _key(document, *names)
    if value is None:
        raise UnusableInput(f"{path} has no {names[0]}: a checkpoint is (chain, height, hash, time, validators)")
    return value


def _trusted_validator(raw: Any, path: Path) -> Mapping[str, Any]:
    """The RPC form; in a checkpoint the address may be left out, since it follows from the key."""
    if not isinstance(raw, Mapping):
        raise UnusableInput(f"a validator in {path} is not an object")
    validator = dict(raw)
    validator.setdefault("voting_power", validator.get("power"))
    if "pub_key_ed25519_base64" in validator:
        validator["pub_key"] = {"type": "tendermint/PubKeyEd25519", "value": validator["pub_key_ed25519_base64"]}
    if "address" not in validator:
        key = rpc_json.mapping(validator.get("pub_key"), "validators.pub_key")
        key_type = rpc_json.KEY_TYPES.get(str(key.get("type")), KeyType.ED25519)
        data = rpc_json.base64_bytes(key.get("value"), "validators.pub_key.value")
        validator["address"] = PublicKey(key_type, data).address.hex()
    return validator


def read_checkpoint(path: Path) -> Checkpoint:
    """(chain, height, hash, time, validators) as JSON or, by suffix, TOML; UnusableInput where it is not one.

    `next_validators` in place of `validators` are the set that the block announces for the height above it.
    """
    document = _document(path)
    try:
        announced = _key(document, "next_validators")
        listed = announced if announced is not None else _named(document, path, "validators")
        if isinstance(listed, Mapping):
            listed = rpc_json.rpc_result(listed).get("validators")
        if not isinstance(listed, list) or not listed:
            raise UnusableInput(f"{path}: validators is not a list of validators")
        validators = rpc_json.validator_set_from_rpc(
            {"validators": [_trusted_validator(raw, path) for raw in listed]}, "validators"
        )
        time = _named(document, path, "time")
        return Checkpoint(
            chain_id=str(_named(document, path, "chain", "chain_id")),
            height=rpc_json.integer(_named(document, path, "height"), "height"),
            hash=parse_hex(str(_named(document, path, "hash")), f"hash in {path}", 32),
            time_ns=parse_time(time.isoformat() if hasattr(time, "isoformat") else str(time), f"time in {path}"),
            validators=ValidatorSet.of(validators.validators),
            announced=announced is not None,
        )
    except VerificationError as error:
        raise UnusableInput(f"{path}: {error}") from error


def _collect(document: Any, served: Served, depth: int = 0) -> None:
    if isinstance(document, list) and depth == 0:
        for answer in document[:MAX_ANSWERS]:
            _collect(answer, served, depth + 1)
        return
    if not isinstance(document, Mapping) or depth > MAX_NESTING:
        return
    document = document["result"] if isinstance(document.get("result"), Mapping) else document
    commit, header = document.get("commit"), document.get("header")
    if isinstance(document.get("signed_header"), Mapping):
        served.signed_headers.append(document["signed_header"])
    elif isinstance(header, Mapping) and isinstance(commit, Mapping) and "signatures" in commit:
        served.signed_headers.append({"header": header, "commit": commit})
    elif isinstance(commit, Mapping):
        _collect(commit, served, depth + 1)
    for name in ("validators", "validator_set"):
        listed = document.get(name)
        if isinstance(listed, list):
            served.validators.extend(listed)
            served.proposer = document.get("proposer", served.proposer)
        elif isinstance(listed, Mapping):
            inner = listed["result"] if isinstance(listed.get("result"), Mapping) else listed
            _collect({"validators": inner.get("validators"), "proposer": inner.get("proposer")}, served, depth + 1)


def read_served(paths: list[Path]) -> Served:
    """One signed header and, in one or more pages, its validators.

    They come from `/commit` and `/validators` or one joint file; a file may hold a list of up to MAX_ANSWERS answers.

    Raises:
        UnusableInput: a file is not JSON or is an error of the node, or there is not one header with its commit.
    """
    served = Served()
    for path in paths:
        document = parse_json(read_file(path), str(path))
        if isinstance(document, Mapping) and document.get("error"):
            raise UnusableInput(f"{path} is an error response of the node")
        _collect(document, served)
    names = ", ".join(map(str, paths))
    if len(served.signed_headers) != 1:
        raise UnusableInput(f"{names}: expected one header with its commit, found {len(served.signed_headers)}")
    return served


_chain_id_matches = cited(chain_id_matches, SPEC)


@rule(SPEC)
def checkpoint_hash_matches(signed_header: SignedHeader, checkpoint: Checkpoint) -> None:
    """The header is the checkpoint's very block; times are compared in whole seconds.

    Raises:
        PredicateFailed: hash or time differs.
    """
    actual = header_hash(signed_header.header)
    if actual != checkpoint.hash:
        raise PredicateFailed(
            "checkpoint_hash_matches", "another block at the checkpoint's height", actual, checkpoint.hash
        )
    # The hash holds the exact time; a checkpoint may have it in whole seconds.
    if signed_header.header.time_ns // NANOSECONDS_PER_SECOND != checkpoint.time_ns // NANOSECONDS_PER_SECOND:
        raise PredicateFailed(
            "checkpoint_hash_matches",
            "the block's time is not the checkpoint's",
            signed_header.header.time_ns,
            checkpoint.time_ns,
        )


@rule(SPEC)
def follows_checkpoint(signed_header: SignedHeader, checkpoint: Checkpoint) -> None:
    """The checkpoint's block is the parent of the one above it.

    Raises:
        PredicateFailed: it has another parent.
    """
    parent = signed_header.header.last_block_id.hash
    if parent != checkpoint.hash:
        raise PredicateFailed("follows_checkpoint", "the parent is not the checkpoint's block", parent, checkpoint.hash)


def judge_checkpoint(
    judge: Judge, signed_header: SignedHeader, validators: ValidatorSet, checkpoint: Checkpoint
) -> None:
    """The header is the checkpoint's very block, and its own validators signed it.

    Raises:
        VerificationError: of the first rule that does not hold.
    """
    judge(_chain_id_matches, signed_header.header, checkpoint.chain_id)
    judge(checkpoint_hash_matches, signed_header, checkpoint)
    judge_commit(judge, signed_header, validators, CommitSignatures(checkpoint.chain_id, signed_header.commit))


def judge_file(judge: Judge, served: Served, checkpoint: Checkpoint, options: Options, now_ns: int) -> None:
    """Every rule, in order. At the checkpoint's height the block must be the very one; above it, be vouched for.

    Args:
        now_ns: nanoseconds of Unix time.

    Raises:
        VerificationError: of the first rule that does not hold.
    """
    signed_header, validators = judge(file_is_well_formed, served, checkpoint)
    header = signed_header.header
    if header.height == checkpoint.height:
        judge_checkpoint(judge, signed_header, validators, checkpoint)
        return
    trusted = TrustedState(
        checkpoint.height, checkpoint.time_ns, validator_set_hash(checkpoint.validators), checkpoint.announced
    )
    if header.height == checkpoint.height + 1:
        judge(follows_checkpoint, signed_header, checkpoint)
    block = LightBlock(signed_header, validators)
    judge_update(judge, checkpoint.chain_id, block, trusted, checkpoint.validators, options, now_ns)


@rule(RPC)
def file_is_well_formed(served: Served, checkpoint: Checkpoint) -> tuple[SignedHeader, ValidatorSet]:
    """Read the header and its validators, which are the checkpoint's where the file has none.

    Raises:
        MalformedInput: what the file holds is no header, or no set of validators.
        PredicateFailed: the file has none, and the set has changed since the checkpoint.
    """
    signed_header = rpc_json.signed_header_from_rpc(served.signed_headers[0])
    if served.validators:
        listed = {"validators": served.validators, "proposer": served.proposer}
        return signed_header, rpc_json.validator_set_from_rpc(listed, "validators")
    if signed_header.header.validators_hash != validator_set_hash(checkpoint.validators):
        raise PredicateFailed(
            "file_is_well_formed",
            "the set has changed since the checkpoint: give the node's /validators answer at this height too",
        )
    return signed_header, checkpoint.validators


def subject_of(served: Served, checkpoint: Checkpoint, now_ns: int) -> dict[str, str]:
    """What is judged, in the words of the file (not yet believed)."""
    header = served.signed_headers[0].get("header")
    header = header if isinstance(header, Mapping) else {}
    return {
        "header": f"{header.get('chain_id')} {header.get('height')} of {header.get('time')}"[:200],
        "checkpoint": f"{checkpoint.chain_id} {checkpoint.height} {checkpoint.hash.hex()}",
        "checkpoint time": rpc_json.format_time(checkpoint.time_ns),
        "now": rpc_json.format_time(now_ns),
    }
