"""Chains that are attested to each other, each with a Title of its own, and a relayer that carries what their routers hold.

What a chain's client is shown of another is read from that other router's storage at that moment.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi.abi import encode

from hutong.contracts.roles import (
    LIMITER_ROLE,
    MIGRATOR_ROLE,
    PAUSER_ROLE,
    UNPAUSER_ROLE,
    router_function_roles,
    title_function_roles,
)
from hutong.light_clients.attestation import AttestationKind, Misbehaviour, encode_misbehaviour
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import ABI_ENCODING, packet_to_tuple
from hutong.light_clients.ibc.commitment import acknowledgement_key, commitment_key, packet_commitment, receipt_key
from hutong.light_clients.ibc.packet import Packet, Payload
from tests.contracts.clients.attestation_twin import EVM_SCOPE, deploy_attestation_client
from tests.contracts.evm import SENDER, Contract, Evm, Outcome
from tests.contracts.lane import MERKLE_PREFIX, RELAYER
from tests.light_clients.attestation.attested_chain import GENESIS_S, AttestedChain

ISSUER, ALICE, BOB, LENDER, STRANGER = (bytes([digit]) * 20 for digit in (0x15, 0xA1, 0xB0, 0x1E, 0x99))
TITLE_PORT, TITLE_VERSION = "title", "hutong-title-1"
NONE, LIVE, LEAVING, AWAY, RETURNED, RETIRED = range(6)
LOCAL_ID = b"vehicle 1".ljust(32, b"\0")
CONTENT = keccak256(b"a car")
MILEAGE, REFILLS = b"mileage".ljust(32, b"\0"), b"refills".ljust(32, b"\0")
COUNTERS = ((MILEAGE, False, 1000), (REFILLS, True, 3))
MOVE_TUPLE = "(bool,string,string,bytes32,bytes32,string,string,bytes)"
FIELDS = ("state", "holder", "sequence", "lien_holder", "recorder", "content", "local_id", "issuer", "trace", "route")


def client_of(chain: str, other: str) -> str:
    """What a chain calls its client of another."""
    return f"evm-{chain}{other}-0".lower()


def text(account: bytes) -> str:
    return f"0x{account.hex()}"


def pack_counters(counters: Any) -> bytes:
    return b"".join(name + ((falling << 255) | value).to_bytes(32, "big") for name, falling, value in counters)


def encode_move(**changes: Any) -> bytes:
    """Packet data of a move of the first vehicle from its own chain, with what a test changes."""
    fields = {
        "home": False,
        "trace": "",
        "issuer": text(ISSUER),
        "local_id": LOCAL_ID,
        "content": CONTENT,
        "sender": text(ALICE),
        "receiver": text(BOB),
        "counters": pack_counters(COUNTERS),
    } | changes
    return encode([MOVE_TUPLE], [tuple(fields.values())])


def title_id(trace: str = "", issuer: bytes = ISSUER, local_id: bytes = LOCAL_ID) -> bytes:
    return keccak256(encode(["string", "string", "bytes32"], [trace, text(issuer), local_id]))


def deploy_title(evm: Evm, manager: Contract, router: Contract) -> Contract:
    """On the port `title`, with every role at `SENDER`."""
    title = evm.deploy("Title", router.address, manager.address, 600)
    for function_role in title_function_roles():
        manager.transact("setTargetFunctionRole", title.address, function_role.selectors, function_role.role)
    for role in (LIMITER_ROLE, MIGRATOR_ROLE, PAUSER_ROLE, UNPAUSER_ROLE):
        manager.transact("grantRole", role, SENDER, 0)
    router.transact("addIBCApp", TITLE_PORT, title.address)
    return title


@dataclass
class Link:
    """A chain's client of another: `shown` is the other as its attestors sign it."""

    client_id: str
    shown: AttestedChain
    client: Contract


@dataclass
class TitleChain:
    name: str
    evm: Evm = field(default_factory=lambda: Evm("paris", GENESIS_S))
    links: dict[str, Link] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.manager = self.evm.deploy("AccessManager", SENDER)
        self.router = self.evm.deploy("Router", self.manager.address)
        for function_role in router_function_roles(open_relaying=True):
            self.manager.transact(
                "setTargetFunctionRole", self.router.address, function_role.selectors, function_role.role
            )
        self.title = deploy_title(self.evm, self.manager, self.router)

    def of(self, document: bytes) -> dict[str, Any]:
        *fields, counters = self.title.call("titleOf", document)
        return {**dict(zip(FIELDS, fields, strict=True)), "counters": tuple(counters)}

    def state(self, document: bytes) -> int:
        return self.of(document)["state"]

    def holder(self, document: bytes) -> bytes:
        return bytes.fromhex(self.title.call("holderOf", document)[2:])

    def mint(self, holder: bytes = ALICE, local_id: bytes = LOCAL_ID, counters: Any = COUNTERS) -> bytes:
        outcome = self.title.transact("mint", local_id, holder, CONTENT, counters, sender=ISSUER)
        return outcome.value


@dataclass
class Sent:
    """A packet on its way, and how its receiver answered."""

    source: str
    destination: str
    packet: Packet
    acknowledgement: bytes = b""


class TitleCity:
    """Every chain has a client of every other."""

    def __init__(self, names: str = "AB") -> None:
        self.chains = {name: TitleChain(name) for name in names}
        self.now_s = GENESIS_S
        for chain in self.chains.values():
            for other in self.chains.values():
                if other is not chain:
                    self._connect(chain, other)

    def __getitem__(self, name: str) -> TitleChain:
        return self.chains[name]

    def _connect(self, chain: TitleChain, other: TitleChain) -> None:
        client_id = client_of(chain.name, other.name)
        scope = replace(
            EVM_SCOPE,
            source_router=bytes(12) + other.router.address,
            destination_router=chain.router.address,
            destination_client_id=client_id,
        )
        shown = AttestedChain(scope=scope)
        client = deploy_attestation_client(chain.evm, shown, shown.height, trusting_period_s=10**8)
        info = (client_of(other.name, chain.name), MERKLE_PREFIX)
        chain.router.transact("addClient", client_id, info, client.address)
        chain.links[other.name] = Link(client_id, shown, client)

    def pass_time(self, seconds: int) -> None:
        self.now_s += seconds
        for chain in self.chains.values():
            chain.evm.timestamp_s = self.now_s

    def prove(
        self, at: str, of: str, key: bytes, lies: dict[bytes, bytes] | None = None
    ) -> tuple[bytes, tuple[int, int]]:
        """What the router of `of` holds under a key, or what its attestors lie, to the client at `at`."""
        self.pass_time(1)
        chain, link = self[at], self[at].links[of]
        value = self[of].router.call("getCommitment", keccak256(key))
        if any(value):
            link.shown.put(key, value)
        height = link.shown.advance(1, self.now_s - link.shown.times_s[-1])
        chain.router.transact("updateClient", link.client_id, link.shown.update(height))
        return link.shown.proof(height, key, lies=lies), (0, height)

    def move(self, source: str, destination: str, document: bytes, **fields: Any) -> Sent:
        chain = self[source]
        sender = fields.get("sender") or chain.holder(document)
        outcome = chain.title.transact(
            "move",
            chain.links[destination].client_id,
            document,
            fields.get("receiver", text(BOB)),
            self.now_s + fields.get("timeout_in_s", 3600),
            sender=sender,
        )
        (event,) = outcome.named("SendPacket")
        sequence, client, other, timeout_s, payloads = event["packet"]
        return Sent(
            source, destination, Packet(sequence, client, other, timeout_s, tuple(Payload(*p) for p in payloads))
        )

    def forge(self, source: str, destination: str, value: bytes, sequence: int = 77, port: str = TITLE_PORT) -> Sent:
        """A packet that `source` never committed."""
        client, other = self[source].links[destination].client_id, self[destination].links[source].client_id
        payload = Payload(port, TITLE_PORT, TITLE_VERSION, ABI_ENCODING, value)
        return Sent(source, destination, Packet(sequence, client, other, self.now_s + 3600, (payload,)))

    def deliver(self, sent: Sent, *, lie: bool = False) -> Outcome:
        packet = sent.packet
        key = commitment_key(packet)
        lies = {key: packet_commitment(packet)} if lie else None
        proof, height = self.prove(sent.destination, sent.source, key, lies)
        outcome = self[sent.destination].router.transact(
            "recvPacket", (packet_to_tuple(packet), proof, height), sender=RELAYER
        )
        for event in outcome.named("WriteAcknowledgement"):
            (sent.acknowledgement,) = event["acknowledgements"]
        return outcome

    def settle(self, sent: Sent) -> Outcome:
        proof, height = self.prove(sent.source, sent.destination, acknowledgement_key(sent.packet))
        message = (packet_to_tuple(sent.packet), sent.acknowledgement, proof, height)
        return self[sent.source].router.transact("ackPacket", message, sender=RELAYER)

    def expire(self, sent: Sent, *, lie: bool = False) -> Outcome:
        """The other chain shows, or pretends, that it holds no receipt after the packet's time."""
        self.pass_time(max(0, sent.packet.timeout_timestamp_s - self.now_s))
        key = receipt_key(sent.packet)
        proof, height = self.prove(sent.source, sent.destination, key, {key: bytes(32)} if lie else None)
        return self[sent.source].router.transact("timeoutPacket", (packet_to_tuple(sent.packet), proof, height))

    def carry(self, source: str, destination: str, document: bytes, **fields: Any) -> Sent:
        """Moved, delivered and acknowledged."""
        sent = self.move(source, destination, document, **fields)
        self.deliver(sent)
        self.settle(sent)
        return sent

    def freeze(self, at: str, of: str) -> None:
        """Two commitments under one path."""
        link = self[at].links[of]
        key = b"client-9\x01" + bytes(8)
        pair = (
            link.shown.packet_attestation(1, key),
            link.shown.packet_attestation(1, key, lies={key: b"\x01" * 32}),
        )
        evidence = encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, *pair))
        self[at].router.transact("submitMisbehaviour", link.client_id, evidence, sender=STRANGER)

    def recover(self, at: str, of: str) -> None:
        """The migrator replaces the client's contract, as after a freeze."""
        link = self[at].links[of]
        client = deploy_attestation_client(self[at].evm, link.shown, link.shown.height, trusting_period_s=10**8)
        counterparty = self[at].router.call("getCounterparty", link.client_id)
        self[at].router.transact("migrateClient", link.client_id, counterparty, client.address)
