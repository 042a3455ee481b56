"""Checkpoints: what an auditor believes of a chain before any file is read (docs/spec/checkpoint.md).

The root of trust is (chain id, height, hash, time). Beside it stand the parameters of trust: of which kind the chain is,
for how long its headers vouch for later ones, where its commitments are, and which chain each of its clients follows.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from hutong.light_clients import ethereum
from hutong.light_clients.bft_evm import Consensus, QuorumRule, SealRules
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MAX_CLIENT_MESSAGE_BYTES, NANOSECONDS_PER_SECOND, MalformedInput
from hutong.light_clients.interface.document import Document, HexForm, Members
from hutong.light_clients.proofs.ics23 import STANDARD_SPECS, ProofSpec
from hutong.light_clients.tendermint.rpc_json import format_time, parse_time_ns
from hutong.light_clients.tendermint.types import TrustLevel, revision_of
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.followed import said_by_states

CHECKPOINT_FORMAT = "hutong-checkpoint"
CHECKPOINT_VERSION = 1
MAX_CHECKPOINT_BYTES = 8 * 1024 * 1024
MAX_CLIENTS = 10_000
MAX_CHAIN_ID_CHARS = 50
ADDRESS_BYTES = 20
MAX_PREFIX_ELEMENTS = 4
MAX_ATTESTORS = 64
MAX_PERIOD_S = 100 * 365 * 86_400

Rule = TypeVar("Rule", Consensus, QuorumRule)


@dataclass(frozen=True, slots=True)
class TendermintTrust:
    """`proof_specs` name standard specs, leaf store first, for a path of `merkle_prefix`."""

    trust_level: TrustLevel
    merkle_prefix: tuple[bytes, ...]
    proof_specs: tuple[str, ...]

    @property
    def specs(self) -> tuple[ProofSpec, ...]:
        """The proof specs by their names, leaf store first.

        Raises:
            KeyError: a name is not of a standard spec; `decode_checkpoint` refuses such a document.
        """
        return tuple(STANDARD_SPECS[name] for name in self.proof_specs)


@dataclass(frozen=True, slots=True)
class BftEvmTrust:
    """`router_address` is the account whose storage holds the commitments. EIP-155 chain ids are in no header.

    `consensus` and `quorum_rule` stand in the document only where they are not QBFT and its two thirds.
    """

    router_address: bytes
    consensus: Consensus = Consensus.QBFT
    quorum_rule: QuorumRule = QuorumRule.CEIL_TWO_THIRDS

    @property
    def seal_rules(self) -> SealRules:
        """By which rules the chain's headers are sealed and counted."""
        return SealRules(self.consensus, self.quorum_rule)


@dataclass(frozen=True, slots=True)
class Remote:
    """What a client stands for: the chain that it follows, and the client there that is its counterparty."""

    chain_id: str
    client_id: str

    def __str__(self) -> str:
        return f"{self.chain_id}/{self.client_id}"


@dataclass(frozen=True, slots=True)
class Destination:
    """A client for which attestors sign."""

    chain_id: str
    router_address: bytes
    client_id: str


@dataclass(frozen=True, slots=True)
class AttestationTrust:
    """Who attests for the chain, how many of them must, and to which clients."""

    router_address: bytes
    attestors: tuple[bytes, ...]
    required_signatures: int
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True)
class EthereumTrust:
    """A light client's two states at the checkpoint's block, which name the chain, its schedule, router and committees."""

    client_state: bytes
    consensus_state: bytes


@dataclass(frozen=True, slots=True)
class FollowedTrust:
    """A light client's two states at the checkpoint's block, of a `clique` client, or of a `bft-evm` client of a chain whose
    validators a contract selects: they name the chain, its rules, its router, and who may seal from there on. Of a `c2sp-tlog`
    client they name the log's keys, witnesses and quorum, its publisher, and the tree that is believed."""

    client_state: bytes
    consensus_state: bytes


Trust: TypeAlias = TendermintTrust | BftEvmTrust | AttestationTrust | EthereumTrust | FollowedTrust


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`clients` maps each client on the chain to what it follows.

    `header`, if given, is the block's header, so that a bundle need not carry it; it is believed by its hash alone.
    An attested chain has no hash that anyone signs: `hash` is empty there, and height and time only bound what is believed.
    """

    chain_id: str
    kind: ChainKind
    height: int
    hash: bytes
    time_ns: int
    trusting_period_s: int
    max_clock_drift_s: int
    clients: Mapping[str, Remote]
    trust: Trust
    header: bytes | None = None

    @property
    def expires_at_ns(self) -> int:
        """From when on the checkpoint vouches for nothing above it, nanoseconds of Unix time; exclusive."""
        return self.time_ns + self.trusting_period_s * NANOSECONDS_PER_SECOND


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Indented JSON, for people to read and to sign. Members that have their default are left out.

    Nothing is checked: `decode_checkpoint` refuses what is out of bounds.
    """
    document: dict[str, Any] = {
        "format": CHECKPOINT_FORMAT,
        "version": CHECKPOINT_VERSION,
        "chain_id": checkpoint.chain_id,
        "kind": checkpoint.kind.value,
        "height": checkpoint.height,
        "hash": "0x" + checkpoint.hash.hex(),
        "time": format_time(checkpoint.time_ns),
        "trusting_period_s": checkpoint.trusting_period_s,
        "max_clock_drift_s": checkpoint.max_clock_drift_s,
        "clients": {
            name: {"chain_id": remote.chain_id, "client_id": remote.client_id}
            for name, remote in sorted(checkpoint.clients.items())
        },
    }
    match checkpoint.trust:
        case TendermintTrust(level, prefix, specs):
            document["trust_level"] = f"{level.numerator}/{level.denominator}"
            document["merkle_prefix"] = ["0x" + element.hex() for element in prefix]
            document["proof_specs"] = list(specs)
        case BftEvmTrust(router, consensus, quorum_rule):
            document["router_address"] = "0x" + router.hex()
            if consensus is not Consensus.QBFT:
                document["consensus"] = consensus.name.lower()
            if quorum_rule is not QuorumRule.CEIL_TWO_THIRDS:
                document["quorum_rule"] = quorum_rule.name.lower()
        case AttestationTrust(router, attestors, required, destinations):
            document["router_address"] = "0x" + router.hex()
            document["attestors"] = ["0x" + attestor.hex() for attestor in attestors]
            document["required_signatures"] = required
            document["destinations"] = [
                {
                    "chain_id": one.chain_id,
                    "router_address": "0x" + one.router_address.hex(),
                    "client_id": one.client_id,
                }
                for one in destinations
            ]
        case EthereumTrust(client_state, consensus_state) | FollowedTrust(client_state, consensus_state):
            document["client_state"] = "0x" + client_state.hex()
            document["consensus_state"] = "0x" + consensus_state.hex()
    if checkpoint.header is not None:
        document["header"] = b64encode(checkpoint.header).decode()
    return json.dumps(document, indent=1).encode() + b"\n"


def decode_checkpoint(data: bytes) -> Checkpoint:
    """Any JSON of the fields, in any layout: people write it by hand. `header` may be missing; the rest may not.

    Raises:
        MalformedInput: naming the field.
    """
    document = Document.parse(data, "checkpoint", MAX_CHECKPOINT_BYTES)
    with document.of_format("a checkpoint", CHECKPOINT_FORMAT, CHECKPOINT_VERSION) as fields:
        kind = fields["kind"].choice(ChainKind)
        trust = _TRUST[kind](fields)
        checkpoint = Checkpoint(
            chain_id=_chain_id(fields["chain_id"], kind),
            kind=kind,
            height=fields["height"].integer(1, 2**63 - 1),
            hash=fields["hash"].hex(0 if kind is ChainKind.ATTESTATION else 32, HexForm.ANY_CASE),
            time_ns=parse_time_ns(fields["time"].value, "checkpoint.time"),
            trusting_period_s=fields["trusting_period_s"].integer(1, MAX_PERIOD_S),
            max_clock_drift_s=fields["max_clock_drift_s"].integer(1, 86_400),
            clients=dict(_client(name, remote) for name, remote in fields["clients"].entries(MAX_CLIENTS)),
            trust=trust,
            header=_header(fields),
        )
        fields.end(f"is not a field of a {kind} checkpoint")
    if isinstance(trust, EthereumTrust):
        _check_ethereum(checkpoint, trust)
    if isinstance(trust, FollowedTrust):
        check_followed(checkpoint, trust)
    return checkpoint


def _chain_id(document: Document, kind: ChainKind) -> str:
    chain_id = document.ascii(MAX_CHAIN_ID_CHARS, least=1)
    if kind is ChainKind.TENDERMINT:
        revision_of(chain_id)
    if kind is ChainKind.BFT_EVM and re.fullmatch(r"[1-9][0-9]{0,18}", chain_id) is None:
        raise document.refused("is not an EIP-155 chain id in decimal", got=chain_id)
    return chain_id


def _client(name: Document, remote: Document) -> tuple[str, Remote]:
    client_id = check_client_id(name.value, name.path)
    with remote.members() as fields:
        chain_id = fields["chain_id"].text(MAX_CHAIN_ID_CHARS, least=1)
        return client_id, Remote(chain_id, _client_id(fields["client_id"]))


def _client_id(document: Document) -> str:
    return check_client_id(document.text(MAX_CHECKPOINT_BYTES), document.path)


def _header(fields: Members) -> bytes | None:
    header = fields.optional("header")
    return None if header is None or header.value is None else header.base64(MAX_CLIENT_MESSAGE_BYTES)


def _choice(fields: Members, name: str, kind: type[Rule], default: Rule) -> Rule:
    """By its name in lower case; the default is never written, so that one value has one document."""
    document = fields.optional(name)
    if document is None:
        return default
    others = {rule.name.lower(): rule for rule in kind if rule is not default}
    value = document.ascii(128, least=1)
    if value not in others:
        raise document.refused("unknown", value, list(others))
    return others[value]


def _states(fields: Members) -> tuple[bytes, bytes]:
    client_state, consensus_state = (
        fields[name].hex_of_at_most(MAX_CHECKPOINT_BYTES, HexForm.ANY_CASE)
        for name in ("client_state", "consensus_state")
    )
    return client_state, consensus_state


def _tendermint(fields: Members) -> Trust:
    written = fields["trust_level"]
    level = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", written.ascii(128, least=1))
    if level is None or not int(level[1]) <= int(level[2]) <= 3 * int(level[1]):
        raise written.refused("is not a fraction from 1/3 to 1/1", written.value)
    prefix = tuple(
        element.hex_of_at_most(MAX_CHECKPOINT_BYTES, HexForm.ANY_CASE)
        for element in fields["merkle_prefix"].items(MAX_PREFIX_ELEMENTS, least=1)
    )
    specs = tuple(spec.text(MAX_CHECKPOINT_BYTES) for spec in fields["proof_specs"].items(MAX_PREFIX_ELEMENTS, least=1))
    if len(specs) != len(prefix) or not set(specs) <= set(STANDARD_SPECS):
        raise MalformedInput(
            "checkpoint.proof_specs", "is not one standard spec for each element of the prefix", got=list(specs)
        )
    return TendermintTrust(TrustLevel(int(level[1]), int(level[2])), prefix, specs)


def _bft_evm(fields: Members) -> Trust:
    return BftEvmTrust(
        fields["router_address"].hex(ADDRESS_BYTES, HexForm.ANY_CASE),
        _choice(fields, "consensus", Consensus, Consensus.QBFT),
        _choice(fields, "quorum_rule", QuorumRule, QuorumRule.CEIL_TWO_THIRDS),
    )


def _attestation(fields: Members) -> Trust:
    attestors = tuple(
        attestor.hex(ADDRESS_BYTES, HexForm.ANY_CASE) for attestor in fields["attestors"].items(MAX_ATTESTORS, least=1)
    )
    if len(set(attestors)) != len(attestors):
        raise MalformedInput("checkpoint.attestors", "lists an attestor twice")
    return AttestationTrust(
        fields["router_address"].hex(ADDRESS_BYTES, HexForm.ANY_CASE),
        tuple(sorted(attestors)),
        fields["required_signatures"].integer(len(attestors) // 2 + 1, len(attestors)),
        tuple(_destination(item) for item in fields["destinations"].items(MAX_CLIENTS, least=1)),
    )


def _ethereum(fields: Members) -> Trust:
    return EthereumTrust(*_states(fields))


def _followed(fields: Members) -> Trust:
    return FollowedTrust(*_states(fields))


def _check_ethereum(checkpoint: Checkpoint, trust: EthereumTrust) -> None:
    """What a person reads is what the states say."""
    client = ethereum.decode_client_state(trust.client_state)
    state = ethereum.decode_consensus_state(trust.consensus_state)
    for name, got, expected in (
        ("chain_id", checkpoint.chain_id, str(client.chain_id)),
        ("height", checkpoint.height, client.latest_height.revision_height),
        ("hash", checkpoint.hash, state.beacon_root),
        ("time", checkpoint.time_ns // NANOSECONDS_PER_SECOND, state.timestamp_s),
        ("trusting_period_s", checkpoint.trusting_period_s, client.trusting_period_s),
        ("max_clock_drift_s", checkpoint.max_clock_drift_s, client.max_clock_drift_s),
        ("client_state", client.is_frozen, False),
    ):
        if got != expected:
            raise MalformedInput(f"checkpoint.{name}", "is not what the client's states say", got, expected)


def check_followed(checkpoint: Checkpoint, trust: FollowedTrust) -> None:
    """What a person reads is what the states and the header say.

    Raises:
        MalformedInput: naming the field.
    """
    said = said_by_states(checkpoint.kind, trust.client_state, trust.consensus_state, checkpoint.header)
    for name, got, expected in (
        ("chain_id", checkpoint.chain_id, said.chain_id),
        ("height", checkpoint.height, said.height),
        ("hash", checkpoint.hash, said.block_hash),
        ("time", checkpoint.time_ns // NANOSECONDS_PER_SECOND, said.timestamp_s),
        ("trusting_period_s", checkpoint.trusting_period_s, said.trusting_period_s),
        ("max_clock_drift_s", checkpoint.max_clock_drift_s, said.max_clock_drift_s),
        ("client_state", said.is_frozen, False),
    ):
        if got != expected:
            raise MalformedInput(f"checkpoint.{name}", "is not what the client's states say", got, expected)


def _destination(document: Document) -> Destination:
    with document.members() as fields:
        return Destination(
            fields["chain_id"].text(MAX_CHAIN_ID_CHARS, least=1),
            fields["router_address"].hex(ADDRESS_BYTES, HexForm.ANY_CASE),
            _client_id(fields["client_id"]),
        )


_TRUST = {
    ChainKind.TENDERMINT: _tendermint,
    ChainKind.BFT_EVM: _bft_evm,
    ChainKind.ATTESTATION: _attestation,
    ChainKind.ETHEREUM: _ethereum,
    ChainKind.CLIQUE: _followed,
    ChainKind.BFT_EVM_CONTRACT: _followed,
    ChainKind.TLOG: _followed,
}
