"""Checkpoints: what an auditor believes of a chain before any file is read (docs/spec/checkpoint.md).

The root of trust is (chain id, height, hash, time). Beside it stand the parameters of trust: of which kind the chain is,
for how long its headers vouch for later ones, where its commitments are, and which chain each of its clients follows.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from light_clients import ethereum
from light_clients.bft_evm import Consensus, QuorumRule, SealRules
from light_clients.ibc.identifiers import check_client_id
from light_clients.interface import MAX_CLIENT_MESSAGE_BYTES, NANOSECONDS_PER_SECOND, MalformedInput
from light_clients.interface.json_text import parse_json
from light_clients.proofs.ics23 import STANDARD_SPECS, ProofSpec
from light_clients.tendermint.rpc_json import format_time, parse_time_ns
from light_clients.tendermint.types import TrustLevel, revision_of
from relay.archive.bundle import ChainKind
from relay.archive.followed import said_by_states

CHECKPOINT_FORMAT = "hutong-checkpoint"
CHECKPOINT_VERSION = 1
MAX_CHECKPOINT_BYTES = 8 * 1024 * 1024
MAX_CLIENTS = 10_000
MAX_PREFIX_ELEMENTS = 4
MAX_ATTESTORS = 64
MAX_PERIOD_S = 100 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class TendermintTrust:
    """`proof_specs` name standard specs, leaf store first, for a path of `merkle_prefix`."""

    trust_level: TrustLevel
    merkle_prefix: tuple[bytes, ...]
    proof_specs: tuple[str, ...]

    @property
    def specs(self) -> tuple[ProofSpec, ...]:
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
    validators a contract selects: they name the chain, its rules, its router, and who may seal from there on."""

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
        """From when on the checkpoint vouches for nothing above it."""
        return self.time_ns + self.trusting_period_s * NANOSECONDS_PER_SECOND


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Indented JSON, for people to read and to sign."""
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
    document = parse_json(data, "checkpoint", MAX_CHECKPOINT_BYTES)
    if not isinstance(document, dict) or document.get("format") != CHECKPOINT_FORMAT:
        raise MalformedInput("checkpoint.format", "is not a checkpoint", expected=CHECKPOINT_FORMAT)
    version = document.get("version")
    if type(version) is not int or version != CHECKPOINT_VERSION:
        raise MalformedInput("checkpoint.version", "unknown", got=version, expected=CHECKPOINT_VERSION)
    fields = _Fields(document)
    kind = fields.kind()
    trust = _TRUST[kind](fields)
    chain_id = fields.text("chain_id", 50)
    if kind is ChainKind.TENDERMINT:
        revision_of(chain_id)
    if kind is ChainKind.BFT_EVM and re.fullmatch(r"[1-9][0-9]{0,18}", chain_id) is None:
        raise MalformedInput("checkpoint.chain_id", "is not an EIP-155 chain id in decimal", got=chain_id)
    checkpoint = Checkpoint(
        chain_id=chain_id,
        kind=kind,
        height=fields.integer("height", 1, 2**63 - 1),
        hash=fields.hex("hash", 0 if kind is ChainKind.ATTESTATION else 32),
        time_ns=parse_time_ns(fields.take("time"), "checkpoint.time"),
        trusting_period_s=fields.integer("trusting_period_s", 1, MAX_PERIOD_S),
        max_clock_drift_s=fields.integer("max_clock_drift_s", 1, 86_400),
        clients=fields.clients(),
        trust=trust,
        header=fields.header(),
    )
    if isinstance(trust, EthereumTrust):
        _check_ethereum(checkpoint, trust)
    if isinstance(trust, FollowedTrust):
        check_followed(checkpoint, trust)
    if left := sorted(set(document) - fields.read - {"format", "version"}):
        raise MalformedInput(f"checkpoint.{left[0][:64]}", f"is not a field of a {kind} checkpoint")
    return checkpoint


class _Fields:
    """The document's fields, each read once and checked."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.read: set[str] = set()

    def take(self, name: str) -> Any:
        self.read.add(name)
        if name not in self._document:
            raise MalformedInput(f"checkpoint.{name}", "is missing")
        return self._document[name]

    def text(self, name: str, most: int = 128) -> str:
        value = self.take(name)
        if not isinstance(value, str) or not 0 < len(value) <= most or not value.isascii():
            raise MalformedInput(f"checkpoint.{name}", f"is not an ASCII text of 1 to {most} characters", got=value)
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        value = self.take(name)
        if type(value) is not int or not least <= value <= most:
            raise MalformedInput(f"checkpoint.{name}", f"is not an integer from {least} to {most}", got=value)
        return value

    def hex(self, name: str, size: int) -> bytes:
        return _hex(self.take(name), f"checkpoint.{name}", size)

    def texts(self, name: str, most: int) -> list[str]:
        value = self.take(name)
        if (
            not isinstance(value, list)
            or not 0 < len(value) <= most
            or not all(isinstance(item, str) for item in value)
        ):
            raise MalformedInput(f"checkpoint.{name}", f"is not a list of 1 to {most} texts")
        return value

    def choice(self, name: str, default: str, names: list[str]) -> str:
        """One of `names`, written in lower case; the default is never written, so that one value has one document."""
        if name not in self._document:
            return default
        value = self.text(name)
        found = next((one for one in names if one.lower() == value and one != default), None)
        if found is None:
            raise MalformedInput(
                f"checkpoint.{name}", "unknown", value, [one.lower() for one in names if one != default]
            )
        return found

    def kind(self) -> ChainKind:
        value = self.text("kind")
        try:
            return ChainKind(value)
        except ValueError:
            raise MalformedInput("checkpoint.kind", "unknown", value, [kind.value for kind in ChainKind]) from None

    def clients(self) -> dict[str, Remote]:
        value = self.take("clients")
        if not isinstance(value, dict) or len(value) > MAX_CLIENTS:
            raise MalformedInput("checkpoint.clients", f"is not an object of at most {MAX_CLIENTS} clients")
        found = {}
        for name, remote in value.items():
            check_client_id(name, "checkpoint.clients")
            field = f"checkpoint.clients.{name}"
            if not isinstance(remote, dict) or set(remote) != {"chain_id", "client_id"}:
                raise MalformedInput(field, "is not chain_id and client_id of what it follows")
            chain_id, client_id = remote["chain_id"], remote["client_id"]
            if not isinstance(chain_id, str) or not 0 < len(chain_id) <= 50 or not isinstance(client_id, str):
                raise MalformedInput(field, "chain_id and client_id are not texts")
            found[name] = Remote(chain_id, check_client_id(client_id, field))
        return found

    def header(self) -> bytes | None:
        self.read.add("header")
        value = self._document.get("header")
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > MAX_CLIENT_MESSAGE_BYTES:
            raise MalformedInput("checkpoint.header", "is not base64 text")
        try:
            return b64decode(value, validate=True)
        except ValueError:
            raise MalformedInput("checkpoint.header", "is not base64 text") from None


def _hex(value: Any, field: str, size: int | None = None) -> bytes:
    if not isinstance(value, str) or re.fullmatch(r"0x([0-9a-fA-F]{2})*", value) is None:
        raise MalformedInput(field, "is not 0x and hex digits", got=value)
    data = bytes.fromhex(value[2:])
    if size is not None and len(data) != size:
        raise MalformedInput(field, "has another length in bytes", got=len(data), expected=size)
    return data


def _tendermint(fields: _Fields) -> Trust:
    level = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", fields.text("trust_level"))
    if level is None or not int(level[1]) <= int(level[2]) <= 3 * int(level[1]):
        raise MalformedInput("checkpoint.trust_level", "is not a fraction from 1/3 to 1/1")
    prefix = fields.texts("merkle_prefix", MAX_PREFIX_ELEMENTS)
    specs = fields.texts("proof_specs", MAX_PREFIX_ELEMENTS)
    if len(specs) != len(prefix) or not set(specs) <= set(STANDARD_SPECS):
        raise MalformedInput(
            "checkpoint.proof_specs", "is not one standard spec for each element of the prefix", got=specs
        )
    return TendermintTrust(
        TrustLevel(int(level[1]), int(level[2])),
        tuple(_hex(element, "checkpoint.merkle_prefix") for element in prefix),
        tuple(specs),
    )


def _bft_evm(fields: _Fields) -> Trust:
    return BftEvmTrust(
        fields.hex("router_address", 20),
        Consensus[fields.choice("consensus", Consensus.QBFT.name, [rule.name for rule in Consensus])],
        QuorumRule[fields.choice("quorum_rule", QuorumRule.CEIL_TWO_THIRDS.name, [rule.name for rule in QuorumRule])],
    )


def _attestation(fields: _Fields) -> Trust:
    attestors = tuple(
        _hex(attestor, "checkpoint.attestors", 20) for attestor in fields.texts("attestors", MAX_ATTESTORS)
    )
    if len(set(attestors)) != len(attestors):
        raise MalformedInput("checkpoint.attestors", "lists an attestor twice")
    destinations = fields.take("destinations")
    if not isinstance(destinations, list) or not 0 < len(destinations) <= MAX_CLIENTS:
        raise MalformedInput("checkpoint.destinations", f"is not a list of 1 to {MAX_CLIENTS} clients")
    return AttestationTrust(
        fields.hex("router_address", 20),
        tuple(sorted(attestors)),
        fields.integer("required_signatures", len(attestors) // 2 + 1, len(attestors)),
        tuple(_destination(item) for item in destinations),
    )


def _ethereum(fields: _Fields) -> Trust:
    states = (_hex(fields.take(name), f"checkpoint.{name}") for name in ("client_state", "consensus_state"))
    return EthereumTrust(*states)


def _followed(fields: _Fields) -> Trust:
    states = (_hex(fields.take(name), f"checkpoint.{name}") for name in ("client_state", "consensus_state"))
    return FollowedTrust(*states)


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


def _destination(value: Any) -> Destination:
    field = "checkpoint.destinations"
    if not isinstance(value, dict) or set(value) != {"chain_id", "router_address", "client_id"}:
        raise MalformedInput(field, "is not chain_id, router_address and client_id")
    chain_id, client_id = value["chain_id"], value["client_id"]
    if not isinstance(chain_id, str) or not isinstance(client_id, str) or not 0 < len(chain_id) <= 50:
        raise MalformedInput(field, "chain_id and client_id are not texts")
    return Destination(chain_id, _hex(value["router_address"], field, 20), check_client_id(client_id, field))


_TRUST = {
    ChainKind.TENDERMINT: _tendermint,
    ChainKind.BFT_EVM: _bft_evm,
    ChainKind.ATTESTATION: _attestation,
    ChainKind.ETHEREUM: _ethereum,
    ChainKind.CLIQUE: _followed,
    ChainKind.BFT_EVM_CONTRACT: _followed,
}
