"""Proof files as nodes serve them: ICS-23 in protobuf or an ABCI query response, EIP-1186 as JSON."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from hutong.light_clients.interface import CheckVerdict, Judge, PredicateFailed, audit, cited, rule
from hutong.light_clients.proofs import ics23, mpt
from hutong.light_clients.proofs.ics23.codec import MAX_BATCH_ENTRIES
from hutong.light_clients.proofs.ics23.operations import encode_varint
from hutong.light_clients.protobuf import ics23_pb2
from hutong.relay.verify.inputs import UnusableInput, parse_hex, parse_json

MAX_SLOTS = 4096
_PROOF_FIELD = b"\x0a"
_HEX_TEXT = re.compile(rb"(0[xX])?([0-9a-fA-F]{2})+")
_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")


@dataclass(frozen=True, slots=True)
class Ics23File:
    """`merkle_proof` is the encoding of MerkleProof that the file amounts to, with `count` proofs, leaf store first."""

    merkle_proof: bytes
    count: int
    form: str


def read_ics23(data: bytes, what: str) -> Ics23File:
    """A CommitmentProof or MerkleProof (raw, hex or base64), or the JSON of a CometBFT `abci_query`.

    Raises:
        UnusableInput: none of these. Proofs that are none of the canonical ones are returned, so that they are judged.
    """
    text = data.strip()
    # A compressed batch begins like a JSON string (0x22), and no node's text is other than ASCII.
    if text[:1] == b"{" or (text[:1] == b'"' and text.isascii()):
        document = parse_json(text, what)
        if isinstance(document, Mapping):
            return _from_query(document, what)
        data = str(document).encode()
    return _from_protobuf(*protobuf_bytes(data, what), what)


def protobuf_bytes(data: bytes, what: str) -> tuple[bytes, str]:
    """A message out of a file, and its form there: in hex, in base64, or as it is.

    What looks like hex or base64 is taken for it. The message is not parsed.

    Raises:
        UnusableInput: it looks like base64 and is not.
    """
    text = data.strip()
    if _HEX_TEXT.fullmatch(text):
        return parse_hex(text.decode(), what), "hex"
    if _BASE64_TEXT.fullmatch(text):
        return _base64(text.decode(), what), "base64"
    return data, "protobuf"


def _base64(text: object, field: str) -> bytes:
    if not isinstance(text, str):
        raise UnusableInput(f"{field} is not base64 text")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnusableInput(f"{field} is not base64") from None


def _from_protobuf(raw: bytes, form: str, what: str) -> Ics23File:
    # A MerkleProof read as a CommitmentProof has an existence proof without leaf, and the reverse does not parse.
    single, chain = ics23_pb2.CommitmentProof(), ics23_pb2.MerkleProof()
    try:
        single.ParseFromString(raw)
    except DecodeError:
        single.Clear()
    kind = single.WhichOneof("proof")
    if kind is not None and (kind != "exist" or single.exist.HasField("leaf")):
        return Ics23File(_wrapped(raw), 1, f"CommitmentProof, {form}")
    try:
        chain.ParseFromString(raw)
    except DecodeError:
        chain.Clear()
    if not chain.proofs or any(proof.WhichOneof("proof") is None for proof in chain.proofs):
        raise UnusableInput(
            f"{what} holds no ICS-23 proof: expected CommitmentProof, MerkleProof or an abci_query response"
        )
    return Ics23File(raw, len(chain.proofs), f"MerkleProof, {form}")


def _wrapped(commitment_proof: bytes) -> bytes:
    return _PROOF_FIELD + encode_varint(len(commitment_proof)) + commitment_proof


def _from_query(document: Mapping[str, Any], what: str) -> Ics23File:
    if document.get("error"):
        raise UnusableInput(f"{what} is an error response of the node")
    inner = document.get("result", document)
    response = inner.get("response", inner) if isinstance(inner, Mapping) else None
    if not isinstance(response, Mapping):
        raise UnusableInput(f"{what} is not an abci_query response")
    if response.get("code") not in (0, None, "0"):
        raise UnusableInput(f"{what}: the node answered with code {response['code']}")
    ops = response.get("proofOps") or response.get("proof_ops")
    ops = ops.get("ops") if isinstance(ops, Mapping) else None
    if not isinstance(ops, list) or not ops:
        raise UnusableInput(f"{what} has no proof: query with prove=true")
    proofs = []
    for op in ops:
        kind = op.get("type") if isinstance(op, Mapping) else None
        if not isinstance(kind, str) or not kind.startswith("ics23:"):
            raise UnusableInput(f"{what} has a proof op of type {kind}, only ics23 ones are supported")
        proofs.append(_base64(op.get("data"), f"data of proof op {kind} in {what}"))
    return Ics23File(b"".join(map(_wrapped, proofs)), len(proofs), "abci_query response")


def _batch_member(spec: ics23.ProofSpec, encoded: bytes, key: bytes, *, absent: bool) -> bytes:
    batch = ics23.decode_commitment_proof(encoded)
    for proof in batch.entries if isinstance(batch, ics23.BatchProof) else ():
        is_absence = isinstance(proof, ics23.NonExistenceProof)
        keys = (key, ics23.comparison_key(spec, key)) if is_absence else (key,)
        if is_absence == absent and proof.key in keys:
            return ics23.encode_merkle_proof((proof,))
    raise PredicateFailed("batch_holds_key", "the batch has no proof of the key", expected=key)


_batch_holds_key = cited(_batch_member, "ics23 go/ics23.go", "batch_holds_key")


def judge_ics23(
    judge: Judge,
    file: Ics23File,
    specs: tuple[ics23.ProofSpec, ...],
    root: bytes,
    path: tuple[bytes, ...],
    value: bytes | None,
) -> None:
    """The rules of the IBC door; of a lone batch proof, first that it holds one of the key, then that one's.

    IBC's own door refuses batches, since no chain serves them to it; on the command line each proof in one stands
    alone.
    """
    chain = ics23_pb2.MerkleProof()
    chain.ParseFromString(file.merkle_proof)
    proof = file.merkle_proof
    if len(specs) == len(chain.proofs) == 1 and chain.proofs[0].WhichOneof("proof") in {"batch", "compressed"}:
        batch = chain.proofs[0].SerializeToString(deterministic=True)
        proof = judge(_batch_holds_key, specs[0], batch, path[0], absent=value is None)
    ics23.judge_chained(judge, specs, proof, root, path, value)


def read_claims(document: Any, what: str) -> list[tuple[bytes, bytes | None]]:
    """Keys with their claimed values, hex, or null for absent, as a JSON object; in its order.

    Raises:
        UnusableInput: it is no object of 1 to MAX_BATCH_ENTRIES, something in it is not hex, or a key or value is
            empty.
    """
    if not isinstance(document, Mapping) or not 0 < len(document) <= MAX_BATCH_ENTRIES:
        raise UnusableInput(
            f"{what} is not an object of 1 to {MAX_BATCH_ENTRIES} keys with their values or null, in hex"
        )
    claims: list[tuple[bytes, bytes | None]] = []
    for key, value in document.items():
        if value is not None and not isinstance(value, str):
            raise UnusableInput(f"{what}: the value of {key[:80]} is neither hex nor null")
        claim = None if value is None else parse_hex(value, f"the value of {key[:80]} in {what}")
        claims.append((parse_hex(key, f"a key in {what}"), claim))
        if not claims[-1][0] or claim == b"":
            raise UnusableInput(f"{what}: an empty key or value is never stored; null claims absence")
    return claims


def audit_ics23_batch(
    file: Ics23File, spec: ics23.ProofSpec, root: bytes, claims: Sequence[tuple[bytes, bytes | None]]
) -> tuple[CheckVerdict, ...]:
    """What every rule of every claim said, by the one proof in the file, in the tree's order; the key before each name.

    Args:
        file: has one proof.
        root: that the user trusts.
    """
    chain = ics23_pb2.MerkleProof()
    chain.ParseFromString(file.merkle_proof)
    proof = chain.proofs[0].SerializeToString(deterministic=True)
    ordered = sorted(claims, key=lambda claim: ics23.comparison_key(spec, claim[0]))
    return tuple(_under_its_key(verdict, ordered) for verdict in audit(ics23.judge_batch, spec, proof, root, ordered))


def _under_its_key(verdict: CheckVerdict, ordered: Sequence[tuple[bytes, bytes | None]]) -> CheckVerdict:
    place, dot, name = verdict.name.partition(".")
    if not dot:
        return verdict
    key = ordered[int(place.removeprefix("item_"))][0].hex()
    return CheckVerdict(f"{key}.{name}", verdict.source, verdict.error)


def read_eip1186(document: Any, what: str) -> mpt.AccountClaim:
    """An `eth_getProof` result, bare or in its JSON-RPC envelope, with at most MAX_SLOTS slots.

    Raises:
        UnusableInput: it is no such result, or an error of the node.
    """
    if isinstance(document, Mapping) and document.get("error"):
        raise UnusableInput(f"{what} is an error response of the node")
    if isinstance(document, Mapping) and "result" in document:
        document = document["result"]
    if not isinstance(document, Mapping):
        raise UnusableInput(f"{what} is not an eth_getProof result")
    slots = document.get("storageProof", [])
    if not isinstance(slots, list) or len(slots) > MAX_SLOTS or not all(isinstance(slot, Mapping) for slot in slots):
        raise UnusableInput(f"storageProof in {what} is not a list of at most {MAX_SLOTS} proofs")
    return mpt.AccountClaim(
        parse_hex(_text(document, "address", what), "address", 20),
        _account(document, what),
        _nodes(document, "accountProof", what),
        tuple(_slot(slot, what) for slot in slots),
    )


def _text(document: Mapping[str, Any], field: str, what: str) -> str:
    value = document.get(field)
    if not isinstance(value, str):
        raise UnusableInput(f"{what} has no {field}")
    return value


def _quantity(document: Mapping[str, Any], field: str, what: str) -> int:
    text = _text(document, field, what)
    if _QUANTITY.fullmatch(text) is None:
        raise UnusableInput(f"{field} in {what} is not a hex number: {text[:80]}")
    return int(text, 16)


def _nodes(document: Mapping[str, Any], field: str, what: str) -> tuple[bytes, ...]:
    nodes = document.get(field)
    if not isinstance(nodes, list) or not all(isinstance(node, str) for node in nodes):
        raise UnusableInput(f"{what} has no list of nodes in {field}")
    return tuple(parse_hex(node, f"{field}[{index}]") for index, node in enumerate(nodes))


def _account(document: Mapping[str, Any], what: str) -> mpt.Account:
    """The claimed account; for an absent one some nodes answer zero hashes, others those of empty storage and code."""
    storage_root = parse_hex(_text(document, "storageHash", what), "storageHash", 32)
    code_hash = parse_hex(_text(document, "codeHash", what), "codeHash", 32)
    return mpt.Account(
        _quantity(document, "nonce", what),
        _quantity(document, "balance", what),
        storage_root if any(storage_root) else mpt.EMPTY_TRIE_ROOT,
        code_hash if any(code_hash) else mpt.EMPTY_CODE_HASH,
    )


def _slot(proof: Mapping[str, Any], what: str) -> mpt.SlotClaim:
    value = _quantity(proof, "value", what)
    slot = _quantity(proof, "key", what).to_bytes(32, "big")
    return mpt.SlotClaim(slot, value.to_bytes(32, "big") if value else None, _nodes(proof, "proof", what))


def judge_eip1186(judge: Judge, state_root: bytes, claim: mpt.AccountClaim, address: bytes) -> None:
    """Judge the account and every slot of an eth_getProof result.

    Args:
        state_root: 32 bytes, which the reader trusts.
        address: the account that the result must be about, 20 bytes.

    Raises:
        PredicateFailed: a rule is broken.
    """
    judge(address_matches, claim.address, address)
    mpt.judge_eip1186(judge, state_root, claim)


@rule("EIP-1186")
def address_matches(got: bytes, wanted: bytes) -> None:
    """The file is about the account that was asked for; both are 20 bytes.

    Raises:
        PredicateFailed: it is about another one.
    """
    if got != wanted:
        raise PredicateFailed("address_matches", "the file is about another account", got=got, expected=wanted)


def claim_in_words(path: Sequence[bytes], value: bytes | None) -> dict[str, str]:
    """What an ICS-23 proof is to be of, for the head of a report. `path` is the key, after the store's name if it has one."""
    return {
        "path": " / ".join(
            element.decode() if element.isascii() and element.decode().isprintable() else element.hex()
            for element in path
        ),
        "claim": "absent" if value is None else f"value {value.hex()}",
    }


def account_in_words(claim: mpt.AccountClaim) -> dict[str, str]:
    """What an eth_getProof answer says, not yet believed, for the head of a report: the account, and a line a slot."""
    account = claim.account
    return {
        "address": f"0x{claim.address.hex()}",
        "account": "absent or empty"
        if account == mpt.EMPTY_ACCOUNT
        else f"nonce {account.nonce}, balance {account.balance_wei} wei, storage root {account.storage_root.hex()}, "
        f"code hash {account.code_hash.hex()}",
    } | {
        f"slot 0x{slot.slot.hex()}": "nothing" if slot.word is None else f"0x{slot.word.hex()}" for slot in claim.slots
    }
