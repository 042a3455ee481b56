"""A signed log at the hub's other end: its publisher signs messages in entries, and reads the hub by itself."""

from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from tests.light_clients.tlog.simulated_log import SimulatedLog
from tests.relay.hub.simulated_hub import SimulatedHub

CLIENT_TYPE = "c2sp-tlog"
TRUSTING_PERIOD_S = 30 * 86_400


class HubLog(SimulatedLog):
    """Whose entries come by the hub's clock: one every ten seconds from its start."""

    start_s = 0

    def time_s(self, size: int) -> int:
        return self.start_s + 10 * size


class TlogRemote:
    def __init__(self, hub: SimulatedHub, *, register: bool = True) -> None:
        self.hub = hub
        self.log = HubLog()
        self.log.start_s = hub.time_s - 100
        self.log.advance(4)
        self.own_client = "client-0"
        self.sequence = 0
        self.published: dict[bytes, int] = {}
        self.trusted = self.log.size
        self.client = self.create()
        if register:
            assert hub.register(self.client, self.own_client).ok

    def create(self, **changes: object) -> str:
        changes = {"trusting_period_s": TRUSTING_PERIOD_S, **changes}
        return self.hub.create_client(
            CLIENT_TYPE, self.log.client_state(self.trusted, **changes), self.log.consensus_state(self.trusted)
        )

    def publish(self, payload: Payload, timeout_s: int | None = None) -> Packet:
        self.sequence += 1
        timeout_s = self.hub.time_s + 12 * 3_600 if timeout_s is None else timeout_s
        packet = Packet(self.sequence, self.own_client, self.client, timeout_s, (payload,))
        self.published[commitment_key(packet)] = self.log.size
        self.log.publish(commitment_key(packet), packet_commitment(packet))
        return packet

    def update_call(self, size: int | None = None, message: bytes | None = None) -> bytes:
        shown = self.log.header(self.log.size if size is None else size, self.trusted) if message is None else message
        return abi.UPDATE_CLIENT.call(self.client, shown)

    def update(self) -> int:
        """Bring the client to the log's size."""
        self.hub.advance(time_s=max(self.hub.time_s, self.log.time_s(self.log.size)))
        outcome = self.hub.send(ROUTER_ADDRESS, self.update_call())
        assert outcome.ok, (outcome.log, outcome.data)
        self.trusted = self.log.size
        return self.trusted

    def receive_call(self, packet: Packet, size: int, index: int | None = None) -> bytes:
        at = self.published[commitment_key(packet)] if index is None else index
        return abi.RECV_PACKET.call((packet_to_tuple(packet), self.log.message_proof(at, size), (0, size)))
