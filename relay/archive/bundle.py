"""Proof bundles and their stored form, version 1 (docs/spec/bundle.md).

A bundle shows the life of one packet, over one or two hops, to a reader who trusts nothing but checkpoints of their own.
It carries no name, time or state of ours: every byte is either proven by `relay.audit` or refused.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from light_clients.ibc.packet import (
    Acknowledgement,
    Packet,
    decode_acknowledgement,
    decode_packet,
    encode_acknowledgement,
    encode_packet,
)
from light_clients.interface import MAX_CLIENT_MESSAGE_BYTES, MAX_PROOF_BYTES, Height, MalformedInput
from light_clients.interface.json_text import parse_json

BUNDLE_FORMAT = "hutong-bundle"
BUNDLE_VERSION = 1
MAX_BUNDLE_BYTES = 64 * 1024 * 1024
MAX_LEGS = 2
MAX_HEADERS = 100_000
"""A day of blocks of a second, for proofs that hang by parent hashes from a newer checkpoint."""
MAX_VALIDATOR_SETS = 64
MAX_NODES = 65
"""Of an account proof, as `light_clients.proofs.mpt` bounds it."""

MAX_CONTAINERS = 2 * (MAX_LEGS + 1) * MAX_HEADERS + 64
"""Objects and lists: two of each header. No text of a bundle has a bracket, so they are counted before any is made."""

_CHAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")


class ChainKind(StrEnum):
    """Which rules make a header of the chain believed: the client types of its counterparties, and of `bft-evm` clients
    apart those of chains whose validators a contract selects."""

    TENDERMINT = "07-tendermint"
    BFT_EVM = "bft-evm"
    ATTESTATION = "attestation"
    ETHEREUM = "ethereum"
    CLIQUE = "clique"
    BFT_EVM_CONTRACT = "bft-evm-contract"

    @property
    def client_type(self) -> str:
        """Of the light client that follows the chain."""
        return "bft-evm" if self is ChainKind.BFT_EVM_CONTRACT else self.value

    @property
    def is_followed(self) -> bool:
        """Its headers are updates, each judged as the light client that began at the checkpoint judges it."""
        return self in (ChainKind.CLIQUE, ChainKind.BFT_EVM_CONTRACT)


class Claim(StrEnum):
    """What a proof says of a packet, in the order in which a leg lists them.

    SENT, SETTLED: its commitment stands, or stands no more, at the source. RECEIVED, ACKNOWLEDGED: its receipt, or its
    acknowledgement, stands at the destination. TIMED_OUT: no receipt stands there at a time not before the timeout.
    """

    SENT = "sent"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    TIMED_OUT = "timed_out"
    SETTLED = "settled"

    @property
    def is_at_source(self) -> bool:
        return self in (Claim.SENT, Claim.SETTLED)

    @property
    def is_absence(self) -> bool:
        return self in (Claim.TIMED_OUT, Claim.SETTLED)


OUTCOMES = (Claim.RECEIVED, Claim.ACKNOWLEDGED, Claim.TIMED_OUT)
_ORDER = {claim: index for index, claim in enumerate(Claim)}


@dataclass(frozen=True, slots=True)
class StateProof:
    """A claim with its proof under the header at `height`. Path and value follow from the packet."""

    claim: Claim
    height: Height
    proof: bytes


@dataclass(frozen=True, slots=True)
class Leg:
    """One packet from chain to chain: SENT, exactly one outcome, and SETTLED or not."""

    source_chain_id: str
    destination_chain_id: str
    packet: Packet
    acknowledgement: Acknowledgement | None
    proofs: tuple[StateProof, ...]

    @property
    def packet_id(self) -> str:
        """`chain id/client/sequence` of the sending end."""
        return f"{self.source_chain_id}/{self.packet.source_client}/{self.packet.sequence}"

    @property
    def outcome(self) -> Claim:
        return next(proof.claim for proof in self.proofs if proof.claim in OUTCOMES)

    @property
    def is_settled(self) -> bool:
        return self.proofs[-1].claim is Claim.SETTLED

    def chain_id_of(self, claim: Claim) -> str:
        """The chain whose state the claim is about."""
        return self.source_chain_id if claim.is_at_source else self.destination_chain_id


@dataclass(frozen=True, slots=True)
class HeaderEntry:
    """A header in the encoding of its chain's kind.

    `commit` None: bare, believed only by its hash. `account_proof`: the router's account, where proofs hang from it.
    """

    header: bytes
    commit: bytes | None = None
    account_proof: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ChainHeaders:
    """Headers of one chain, ascending, and the validator sets that they name by hash."""

    chain_id: str
    kind: ChainKind
    headers: tuple[HeaderEntry, ...]
    validator_sets: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """`legs` in the order of the way; `chains` ascending by id, exactly those of the legs."""

    legs: tuple[Leg, ...]
    chains: tuple[ChainHeaders, ...]

    @property
    def packet_id(self) -> str:
        return self.legs[0].packet_id


def encode_bundle(bundle: Bundle) -> bytes:
    """Canonical JSON with a final line break: sorted keys, no spaces, ASCII; bytes as base64, heights as texts."""
    document = {
        "format": BUNDLE_FORMAT,
        "version": BUNDLE_VERSION,
        "legs": [
            {
                "source_chain_id": leg.source_chain_id,
                "destination_chain_id": leg.destination_chain_id,
                "packet": _text(encode_packet(leg.packet)),
                "acknowledgement": None
                if leg.acknowledgement is None
                else _text(encode_acknowledgement(leg.acknowledgement)),
                "proofs": [
                    {"claim": proof.claim.value, "height": str(proof.height), "proof": _text(proof.proof)}
                    for proof in leg.proofs
                ],
            }
            for leg in bundle.legs
        ],
        "chains": [chain_fields(chain) for chain in bundle.chains],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def chain_fields(chain: ChainHeaders) -> dict[str, Any]:
    """A chain's headers as they stand in JSON."""
    return {
        "chain_id": chain.chain_id,
        "kind": chain.kind.value,
        "headers": [
            {
                "header": _text(entry.header),
                "commit": None if entry.commit is None else _text(entry.commit),
                "account_proof": [_text(node) for node in entry.account_proof],
            }
            for entry in chain.headers
        ],
        "validator_sets": [_text(validator_set) for validator_set in chain.validator_sets],
    }


def decode_bundle(data: bytes) -> Bundle:
    """Inverse of `encode_bundle`. Nothing is verified here.

    Raises:
        MalformedInput: anything else than the canonical bytes of version 1, or a value out of bounds.
    """
    if data.count(b"{") + data.count(b"[") > MAX_CONTAINERS:
        raise MalformedInput("bundle", f"more than {MAX_CONTAINERS} objects and lists")
    document = parse_json(data, "bundle", MAX_BUNDLE_BYTES)
    if not isinstance(document, dict) or document.get("format") != BUNDLE_FORMAT:
        raise MalformedInput("bundle.format", "is not a bundle", expected=BUNDLE_FORMAT)
    version = document.get("version")
    if type(version) is not int or version != BUNDLE_VERSION:
        raise MalformedInput("bundle.version", "unknown", got=version, expected=BUNDLE_VERSION)
    _fields(document, "bundle", {"format", "version", "legs", "chains"})
    legs = _list(document["legs"], "bundle.legs", MAX_LEGS)
    chains = _list(document["chains"], "bundle.chains", MAX_LEGS + 1)
    bundle = Bundle(
        tuple(_leg(leg, f"bundle.legs[{index}]") for index, leg in enumerate(legs)),
        tuple(chain_of(chain, f"bundle.chains[{index}]") for index, chain in enumerate(chains)),
    )
    check_bundle(bundle)
    if encode_bundle(bundle) != data:
        raise MalformedInput("bundle", "is not the canonical encoding")
    return bundle


def check_bundle(bundle: Bundle) -> None:
    """A bundle says one whole thing: each leg has its claims, each chain of a leg its headers, and nothing more.

    Raises:
        MalformedInput: naming the field.
    """
    if not 1 <= len(bundle.legs) <= MAX_LEGS:
        raise MalformedInput("bundle.legs", f"1 to {MAX_LEGS} legs", got=len(bundle.legs))
    for index, leg in enumerate(bundle.legs):
        _check_leg(leg, f"bundle.legs[{index}]")
    used = {chain_id for leg in bundle.legs for chain_id in (leg.source_chain_id, leg.destination_chain_id)}
    listed = [chain.chain_id for chain in bundle.chains]
    if listed != sorted(used):
        raise MalformedInput("bundle.chains", "are not the chains of the legs, ascending", listed, sorted(used))
    for index, chain in enumerate(bundle.chains):
        if not 1 <= len(chain.headers) <= MAX_HEADERS:
            raise MalformedInput(f"bundle.chains[{index}].headers", f"1 to {MAX_HEADERS}", got=len(chain.headers))


def _check_leg(leg: Leg, field: str) -> None:
    for name in ("source_chain_id", "destination_chain_id"):
        if _CHAIN_ID.fullmatch(getattr(leg, name)) is None:
            raise MalformedInput(f"{field}.{name}", "is not a chain id", got=getattr(leg, name))
    if leg.source_chain_id == leg.destination_chain_id:
        raise MalformedInput(f"{field}.destination_chain_id", "is the source")
    claims = [proof.claim for proof in leg.proofs]
    if claims != sorted(set(claims), key=_ORDER.__getitem__):
        raise MalformedInput(f"{field}.proofs", "claims repeat or are out of order", got=claims)
    outcomes = [claim for claim in claims if claim in OUTCOMES]
    if Claim.SENT not in claims or len(outcomes) != 1:
        raise MalformedInput(f"{field}.proofs", "must claim sent, and one outcome", got=claims)
    if Claim.SETTLED in claims and outcomes == [Claim.RECEIVED]:
        raise MalformedInput(f"{field}.proofs", "claim settled without an acknowledgement or a timeout", got=claims)
    if (leg.acknowledgement is None) == (Claim.ACKNOWLEDGED in claims):
        raise MalformedInput(f"{field}.acknowledgement", "is there if and only if acknowledged is claimed")


def _leg(value: Any, field: str) -> Leg:
    names = {"source_chain_id", "destination_chain_id", "packet", "acknowledgement", "proofs"}
    document = _fields(value, field, names)
    acknowledgement = document["acknowledgement"]
    proofs = _list(document["proofs"], f"{field}.proofs", len(Claim))
    return Leg(
        _string(document["source_chain_id"], f"{field}.source_chain_id"),
        _string(document["destination_chain_id"], f"{field}.destination_chain_id"),
        decode_packet(_bytes(document["packet"], f"{field}.packet", MAX_CLIENT_MESSAGE_BYTES)),
        None
        if acknowledgement is None
        else decode_acknowledgement(_bytes(acknowledgement, f"{field}.acknowledgement", MAX_CLIENT_MESSAGE_BYTES)),
        tuple(_proof(proof, f"{field}.proofs[{index}]") for index, proof in enumerate(proofs)),
    )


def _proof(value: Any, field: str) -> StateProof:
    document = _fields(value, field, {"claim", "height", "proof"})
    return StateProof(
        _member(Claim, document["claim"], f"{field}.claim"),
        Height.parse(_string(document["height"], f"{field}.height")),
        _bytes(document["proof"], f"{field}.proof", MAX_PROOF_BYTES),
    )


def chain_of(value: Any, field: str) -> ChainHeaders:
    """Inverse of `chain_fields`. Raises MalformedInput."""
    document = _fields(value, field, {"chain_id", "kind", "headers", "validator_sets"})
    headers = _list(document["headers"], f"{field}.headers", MAX_HEADERS)
    sets = _list(document["validator_sets"], f"{field}.validator_sets", MAX_VALIDATOR_SETS)
    return ChainHeaders(
        _string(document["chain_id"], f"{field}.chain_id"),
        _member(ChainKind, document["kind"], f"{field}.kind"),
        tuple(_header(header, f"{field}.headers[{index}]") for index, header in enumerate(headers)),
        tuple(
            _bytes(item, f"{field}.validator_sets[{index}]", MAX_CLIENT_MESSAGE_BYTES)
            for index, item in enumerate(sets)
        ),
    )


def _header(value: Any, field: str) -> HeaderEntry:
    document = _fields(value, field, {"header", "commit", "account_proof"})
    commit = document["commit"]
    nodes = _list(document["account_proof"], f"{field}.account_proof", MAX_NODES)
    return HeaderEntry(
        _bytes(document["header"], f"{field}.header", MAX_CLIENT_MESSAGE_BYTES),
        None if commit is None else _bytes(commit, f"{field}.commit", MAX_CLIENT_MESSAGE_BYTES),
        tuple(_bytes(node, f"{field}.account_proof[{index}]", MAX_PROOF_BYTES) for index, node in enumerate(nodes)),
    )


def _fields(value: Any, field: str, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise MalformedInput(field, "does not have exactly the fields of version 1", expected=sorted(names))
    return value


def _list(value: Any, field: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise MalformedInput(field, f"is not a list of at most {most}")
    return value


def _string(value: Any, field: str) -> str:
    if not isinstance(value, str) or len(value) > 64 or not value.isascii():
        raise MalformedInput(field, "is not an ASCII text of at most 64 characters")
    return value


def _member(enumeration: Any, value: Any, field: str) -> Any:
    try:
        return enumeration(value)
    except ValueError:
        raise MalformedInput(field, "unknown", got=value, expected=[item.value for item in enumeration]) from None


def _bytes(value: Any, field: str, most: int) -> bytes:
    if not isinstance(value, str) or len(value) > most * 4 // 3 + 4:
        raise MalformedInput(field, f"is not base64 text of at most {most} bytes")
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise MalformedInput(field, "is not base64 text") from None


def _text(data: bytes) -> str:
    return b64encode(data).decode()
