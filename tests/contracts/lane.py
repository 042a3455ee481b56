"""A router with a HubClient, whose hub is a simulated CometBFT chain signed by real keys.

Everything that a packet test needs of the other side is written into the hub's state and proven from there.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from hutong.adapters.evm.hub_client import (
    encode_membership_proof,
    encode_misbehaviour,
    encode_non_membership_proof,
    encode_update,
)
from hutong.contracts.roles import (
    LIMITER_ROLE,
    MIGRATOR_ROLE,
    PAUSER_ROLE,
    UNPAUSER_ROLE,
    router_function_roles,
    transfer_function_roles,
)
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import ABI_ENCODING, packet_to_tuple
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    OriginStamp,
    StampedPayload,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.gmp import GMP_PORT, GMP_VERSION, GmpPacketData, encode_gmp
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint.types import ClientState, ConsensusState, Misbehaviour, TendermintHeader
from tests.contracts.evm import SENDER, Contract, Evm, Outcome
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

HUB_SIDE_CLIENT = "bft-evm-0"
LOCAL_CLIENT = "client-0"
ORIGIN_CLIENT = "bft-evm-1"
ORIGIN_CHAIN = "chain-b"
MERKLE_PREFIX = (b"",)
APP_PORT = "app.port"
RELAYER = b"\x77" * 20
STRANGER = b"\x99" * 20
REMOTE_SENDER = "0x" + "ab" * 20


def client_state_tuple(state: ClientState) -> tuple[Any, ...]:
    """Constructor argument of HubClient."""
    return (
        state.chain_id,
        state.trust_level.numerator,
        state.trust_level.denominator,
        state.trusting_period_ns // NANOSECONDS_PER_SECOND,
        state.unbonding_period_ns // NANOSECONDS_PER_SECOND,
        state.max_clock_drift_ns // NANOSECONDS_PER_SECOND,
        (state.latest_height.revision_number, state.latest_height.revision_height),
        state.is_frozen,
    )


def consensus_state_tuple(state: ConsensusState) -> tuple[Any, ...]:
    return state.timestamp_ns, state.root, state.next_validators_hash


def deploy_hub_client(evm: Evm, chain: SimulatedChain, height: int, **changes: Any) -> Contract:
    """A client of `chain` that trusts its block at `height`."""
    return evm.deploy(
        "HubClient",
        client_state_tuple(chain.client_state(height, **changes)),
        consensus_state_tuple(chain.consensus_state(height)),
    )


def now_s(chain: SimulatedChain) -> int:
    """A block time at which the chain's latest header is neither old nor from the future."""
    return chain.latest.header.time_ns // NANOSECONDS_PER_SECOND + 1


@dataclass
class Lane:
    """`app` owns `app.port` and does what a test tells it to; `mailbox` owns `gmpport`."""

    fork: str = "paris"
    chain: SimulatedChain = field(default_factory=lambda: SimulatedChain(chain_id="hutong-1"))
    forward_margin_s: int = 600
    open_relaying: bool = True
    evm: Any = None
    """py-evm by default; tests/nodes puts a real node here."""

    def __post_init__(self) -> None:
        self.evm = self.evm or Evm(self.fork, now_s(self.chain))
        self.manager = self.evm.deploy("AccessManager", SENDER)
        self.router = self.evm.deploy("Router", self.manager.address)
        for function_role in router_function_roles(open_relaying=self.open_relaying):
            self.manager.transact(
                "setTargetFunctionRole", self.router.address, function_role.selectors, function_role.role
            )
        self.trusted = self.chain.latest.header.height
        self.client = deploy_hub_client(self.evm, self.chain, self.trusted)
        self.router.transact("addClient", (HUB_SIDE_CLIENT, MERKLE_PREFIX), self.client.address)
        self.mailbox = self.evm.deploy("Mailbox", self.router.address, self.manager.address, self.forward_margin_s)
        self.router.transact("addIBCApp", "gmpport", self.mailbox.address)
        self.mailbox.transact("setHubClient", LOCAL_CLIENT)
        self.mailbox.transact("setForwardedPeer", ORIGIN_CLIENT, ORIGIN_CHAIN)
        self.transfer = self.evm.deploy("Transfer", self.router.address, self.manager.address, self.forward_margin_s)
        for function_role in transfer_function_roles():
            self.manager.transact(
                "setTargetFunctionRole", self.transfer.address, function_role.selectors, function_role.role
            )
        for role in (LIMITER_ROLE, MIGRATOR_ROLE, PAUSER_ROLE, UNPAUSER_ROLE):
            self.manager.transact("grantRole", role, SENDER, 0)
        self.router.transact("addIBCApp", "transfer", self.transfer.address)
        self.transfer.transact("setHubClient", LOCAL_CLIENT)
        self.app = self.evm.deploy("HostileApp")
        self.router.transact("addIBCApp", APP_PORT, self.app.address)
        self.receiver = self.evm.deploy("HostileReceiver")

    # the hub

    def advance(self, blocks: int = 1) -> int:
        """The hub makes blocks a second apart, the EVM chain's clock follows; returns the hub's height."""
        for _ in range(blocks):
            self.chain.advance(time_ns=self.chain.latest.header.time_ns + NANOSECONDS_PER_SECOND)
        self.evm.timestamp_s = max(self.evm.timestamp_s, now_s(self.chain))
        return self.chain.latest.header.height

    def update(self, height: int | None = None, **call: Any) -> Outcome:
        """Bring the client to a height of the hub, the latest by default."""
        target = height or self.chain.latest.header.height
        outcome = self.router.transact("updateClient", LOCAL_CLIENT, self.update_message(target), **call)
        if outcome.value == 0:
            self.trusted = max(self.trusted, target)
        return outcome

    def update_message(self, height: int) -> bytes:
        return encode_update(self.chain.update(height, self.trusted))

    def publish(self, entries: dict[bytes, bytes]) -> int:
        """Write into the hub's state and bring the client to the height that proves it."""
        for key, value in entries.items():
            self.chain.put(key, value)
        height = self.advance(2)
        self.update()
        return height

    def proof(self, key: bytes, height: int) -> bytes:
        proof, _, value = self.chain.prove(key, height)
        return encode_non_membership_proof(proof) if value is None else encode_membership_proof(proof)

    def proof_height(self, height: int) -> tuple[int, int]:
        return (1, height)

    # packets to this chain

    def incoming(self, sequence: int = 1, payload: Payload | None = None, timeout_in_s: int = 3600) -> Packet:
        return Packet(
            sequence,
            HUB_SIDE_CLIENT,
            LOCAL_CLIENT,
            self.evm.timestamp_s + timeout_in_s,
            (payload or Payload("remote.port", APP_PORT, "v1", ABI_ENCODING, b"\x01"),),
        )

    def receive_message(self, packet: Packet, height: int | None = None) -> tuple[Any, ...]:
        """MsgRecvPacket with the proof of the packet's commitment; commits it on the hub where it is not."""
        key = commitment_key(packet)
        if height is None:
            height = self.publish({key: packet_commitment(packet)})
        return packet_to_tuple(packet), self.proof(key, height), self.proof_height(height)

    def receive(self, packet: Packet, **call: Any) -> Outcome:
        return self.router.transact("recvPacket", self.receive_message(packet), sender=RELAYER, **call)

    # packets from this chain

    def send(self, timeout_in_s: int = 3600, **fields: Any) -> Packet:
        """The app sends a packet; returns it as the event shows it."""
        payload = {
            "source_port": APP_PORT,
            "destination_port": "remote.port",
            "version": "v1",
            "encoding": ABI_ENCODING,
            "value": b"\x02",
        } | {name: value for name, value in fields.items() if name in Payload.__slots__}
        client = fields.get("source_client", LOCAL_CLIENT)
        timeout_s = fields.get("timeout_timestamp_s", self.evm.timestamp_s + timeout_in_s)
        outcome = self.app.transact("send", self.router.address, (client, timeout_s, tuple(payload.values())))
        return self.sent(outcome)

    def sent(self, outcome: Outcome) -> Packet:
        (event,) = outcome.named("SendPacket")
        sequence, source, destination, timeout_s, payloads = event["packet"]
        return Packet(sequence, source, destination, timeout_s, tuple(Payload(*fields) for fields in payloads))

    def acknowledge_message(self, packet: Packet, acknowledgement: bytes, height: int | None = None) -> tuple[Any, ...]:
        key = acknowledgement_key(packet)
        if height is None:
            height = self.publish({key: acknowledgement_commitment(Acknowledgement((acknowledgement,)))})
        return packet_to_tuple(packet), acknowledgement, self.proof(key, height), self.proof_height(height)

    def acknowledge(self, packet: Packet, acknowledgement: bytes, **call: Any) -> Outcome:
        message = self.acknowledge_message(packet, acknowledgement)
        return self.router.transact("ackPacket", message, sender=RELAYER, **call)

    def timeout_message(self, packet: Packet, height: int | None = None) -> tuple[Any, ...]:
        """MsgTimeoutPacket with the proof that the hub holds no receipt."""
        if height is None:
            height = self.publish({})
        return packet_to_tuple(packet), self.proof(receipt_key(packet), height), self.proof_height(height)

    def pass_time_to(self, timestamp_s: int) -> int:
        """The hub's next block has at least this time; returns its height, which the client then knows."""
        at_ns = max(timestamp_s * NANOSECONDS_PER_SECOND, self.chain.latest.header.time_ns + NANOSECONDS_PER_SECOND)
        self.chain.advance(time_ns=at_ns)
        self.evm.timestamp_s = max(self.evm.timestamp_s, now_s(self.chain))
        height = self.chain.latest.header.height
        self.update()
        return height

    def stored(self, key: bytes) -> bytes:
        """What the router stores under an ICS-24 key."""
        return self.router.call("getCommitment", keccak256(key))

    # messages

    def forwarded_packet(
        self,
        receiver: str | None = None,
        payload: bytes = b"hello",
        sequence: int = 1,
        *,
        stamp: OriginStamp | None = None,
        sender: str = REMOTE_SENDER,
        value: bytes | None = None,
        **payload_fields: Any,
    ) -> Packet:
        """Leg 2 as an honest hub writes it, with what a test changes."""
        stamp = stamp or OriginStamp(1, ORIGIN_CLIENT, GMP_PORT, FORWARD_PORT, 7, 1)
        inner = encode_gmp(GmpPacketData(sender, receiver or self.receiver.text, b"", payload, ""))
        stamped = StampedPayload(stamp, GMP_VERSION, ABI_ENCODING, inner if value is None else value)
        fields = Payload(FORWARD_PORT, GMP_PORT, FORWARD_VERSION, ABI_ENCODING, encode_stamped_payload(stamped))
        return self.incoming(sequence, replace(fields, **payload_fields))

    def misbehaviour_message(self, one: TendermintHeader, two: TendermintHeader) -> bytes:
        return encode_misbehaviour(Misbehaviour("07-tendermint-0", one, two))


def relay_call(lane: Lane, name: str, *arguments: Any, gas: int = 3_000_000) -> tuple[int, bytes]:
    """One entry of `relayBatch`."""
    return gas, lane.router.calldata(name, *arguments)


AnyLane = TypeVar("AnyLane")


def new_lane(kind: type[AnyLane]) -> AnyLane:
    """`kind()`, at a tenth of its price after the first: a copy of one that nobody has used."""
    unused: AnyLane = _unused(kind)
    return deepcopy(unused)


@cache
def _unused(kind: type[Any]) -> Any:
    return kind()
