"""Proof bundles and their stored form, version 1 (docs/spec/bundle.md).

A bundle shows the life of one packet, over one or two hops, to a reader who trusts nothing but checkpoints of their own.
It carries no name, time or state of ours: every byte is either proven by `relay.audit` or refused.
"""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hutong.light_clients.ibc.packet import (
    Acknowledgement,
    Packet,
    decode_acknowledgement,
    decode_packet,
    encode_acknowledgement,
    encode_packet,
)
from hutong.light_clients.interface import MAX_CLIENT_MESSAGE_BYTES, MAX_PROOF_BYTES, Height, MalformedInput
from hutong.light_clients.interface.document import Document

BUNDLE_FORMAT = "hutong-bundle"
BUNDLE_VERSION = 1
MAX_BUNDLE_BYTES = 64 * 1024 * 1024
MAX_LEGS = 2
MAX_HEADERS = 100_000
"""A day of blocks of a second, for proofs that hang by parent hashes from a newer checkpoint."""
MAX_VALIDATOR_SETS = 64
MAX_NODES = 65
"""Of an account proof, as `hutong.light_clients.proofs.mpt` bounds it."""

MAX_CONTAINERS = 2 * (MAX_LEGS + 1) * MAX_HEADERS + 64
"""Objects and lists: two of each header. No text of a bundle has a bracket, so they are counted before any is made."""

CHAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
_MAX_TEXT_CHARS = 64


class ChainKind(StrEnum):
    """Which rules make a header of the chain believed: the client types of its counterparties, and of `bft-evm` clients
    apart those of chains whose validators a contract selects."""

    TENDERMINT = "07-tendermint"
    BFT_EVM = "bft-evm"
    ATTESTATION = "attestation"
    ETHEREUM = "ethereum"
    CLIQUE = "clique"
    BFT_EVM_CONTRACT = "bft-evm-contract"
    TLOG = "c2sp-tlog"

    @property
    def client_type(self) -> str:
        """Of the light client that follows the chain: two kinds share `bft-evm`."""
        return "bft-evm" if self is ChainKind.BFT_EVM_CONTRACT else self.value

    @property
    def is_followed(self) -> bool:
        """Whether its headers are updates, each judged as the light client that began at the checkpoint judges it."""
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
        """Whether the claim is about the state of the chain that sent the packet, not of the one that it was
        sent to.
        """
        return self in (Claim.SENT, Claim.SETTLED)

    @property
    def is_absence(self) -> bool:
        """Whether the claim is proven by nothing standing under its path."""
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
        """Its one claim of RECEIVED, ACKNOWLEDGED or TIMED_OUT. Only of a leg that `check_bundle` accepts."""
        return next(proof.claim for proof in self.proofs if proof.claim in OUTCOMES)

    @property
    def is_settled(self) -> bool:
        """Whether its last claim is that the sender's commitment stands no more. Only of a leg that `check_bundle`
        accepts.
        """
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
        """`chain id/client/sequence` of the first leg's sending end."""
        return self.legs[0].packet_id


def encode_bundle(bundle: Bundle) -> bytes:
    """Canonical JSON with a final line break: sorted keys, no spaces, ASCII; bytes as base64, heights as texts.

    Nothing is checked: see `check_bundle`.
    """
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
    document = Document.parse(data, "bundle", MAX_BUNDLE_BYTES)
    with document.of_format("a bundle", BUNDLE_FORMAT, BUNDLE_VERSION) as fields:
        bundle = Bundle(
            tuple(_leg(leg) for leg in fields["legs"].items(MAX_LEGS)),
            tuple(chain_of(chain) for chain in fields["chains"].items(MAX_LEGS + 1)),
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
        raise MalformedInput(
            "bundle.chains", "are not the chains of the legs, ascending", ", ".join(listed), ", ".join(sorted(used))
        )
    for index, chain in enumerate(bundle.chains):
        if not 1 <= len(chain.headers) <= MAX_HEADERS:
            raise MalformedInput(f"bundle.chains[{index}].headers", f"1 to {MAX_HEADERS}", got=len(chain.headers))


def _check_leg(leg: Leg, field: str) -> None:
    for name in ("source_chain_id", "destination_chain_id"):
        if CHAIN_ID.fullmatch(getattr(leg, name)) is None:
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


def _leg(document: Document) -> Leg:
    with document.members() as fields:
        acknowledgement = fields["acknowledgement"].nullable()
        return Leg(
            fields["source_chain_id"].ascii(_MAX_TEXT_CHARS),
            fields["destination_chain_id"].ascii(_MAX_TEXT_CHARS),
            decode_packet(fields["packet"].base64(MAX_CLIENT_MESSAGE_BYTES)),
            None
            if acknowledgement is None
            else decode_acknowledgement(acknowledgement.base64(MAX_CLIENT_MESSAGE_BYTES)),
            tuple(_proof(proof) for proof in fields["proofs"].items(len(Claim))),
        )


def _proof(document: Document) -> StateProof:
    with document.members() as fields:
        return StateProof(
            fields["claim"].choice(Claim),
            Height.parse(fields["height"].ascii(_MAX_TEXT_CHARS)),
            fields["proof"].base64(MAX_PROOF_BYTES),
        )


def chain_of(document: Document) -> ChainHeaders:
    """Inverse of `chain_fields`. Only the bounds of counts and sizes are checked.

    Raises:
        MalformedInput: naming the field.
    """
    with document.members() as fields:
        return ChainHeaders(
            fields["chain_id"].ascii(_MAX_TEXT_CHARS),
            fields["kind"].choice(ChainKind),
            tuple(_header(header) for header in fields["headers"].items(MAX_HEADERS)),
            tuple(one.base64(MAX_CLIENT_MESSAGE_BYTES) for one in fields["validator_sets"].items(MAX_VALIDATOR_SETS)),
        )


def _header(document: Document) -> HeaderEntry:
    with document.members() as fields:
        commit = fields["commit"].nullable()
        return HeaderEntry(
            fields["header"].base64(MAX_CLIENT_MESSAGE_BYTES),
            None if commit is None else commit.base64(MAX_CLIENT_MESSAGE_BYTES),
            tuple(node.base64(MAX_PROOF_BYTES) for node in fields["account_proof"].items(MAX_NODES)),
        )


def _text(data: bytes) -> str:
    return b64encode(data).decode()
