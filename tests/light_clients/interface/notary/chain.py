"""A chain with a notary, in memory: what its node answers, and what its clients are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import to_canonical_address

from hutong.light_clients.crypto import eth_address, keccak256, secp256k1
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet
from tests.light_clients.interface.notary.client import ClientState, ConsensusState, Header, encode_store

CHAIN_ID = 4242
ROUTER = "0x" + "77" * 20
KEY = bytes(31) + b"\x09"
NOTARY = "0x" + eth_address(secp256k1.public_key_of(KEY)).hex()


@dataclass
class NotaryChain:
    """Blocks from 1 on; each holds the whole store."""

    start_s: int
    store: dict[bytes, bytes] = field(default_factory=lambda: {b"first": b"\x01"})
    blocks: list[tuple[Header, Mapping[bytes, bytes]]] = field(default_factory=list)

    @property
    def height(self) -> int:
        return len(self.blocks)

    def seal(self, time_s: int | None = None, key: bytes = KEY) -> Header:
        """The next block, with what was put into the store."""
        at = self.start_s + self.height if time_s is None else time_s
        header = signed(self.height + 1, at, keccak256(encode_store(self.store)), key)
        self.blocks.append((header, dict(self.store)))
        return header

    def send(self, packet: Packet) -> None:
        self.store[commitment_key(packet)] = packet_commitment(packet)

    def client_state(self, height: int, **changed: Any) -> bytes:
        fields = {
            "chain_id": str(CHAIN_ID),
            "router": to_canonical_address(ROUTER),
            "notary": NOTARY,
            "trusting_period_s": 86_400,
            "max_clock_drift_s": 10,
            "height": height,
        }
        return ClientState(**fields | changed).encode()

    def consensus_state(self, height: int) -> bytes:
        header, _ = self.blocks[height - 1]
        return ConsensusState(header.time_s, header.root).encode()

    def proof(self, height: int) -> bytes:
        return encode_store(self.blocks[height - 1][1])

    def answers(self) -> dict[str, Any]:
        """Of its node, by method."""
        return {
            "notary_head": lambda params: hex(self.height),
            "notary_block": lambda params: "0x" + self.blocks[int(params[0], 16) - 1][0].encode().hex(),
            "notary_store": lambda params: "0x" + self.proof(int(params[0], 16)).hex(),
        }


def signed(height: int, time_s: int, root: bytes, key: bytes = KEY) -> Header:
    bare = Header(height, time_s, root, b"")
    return Header(height, time_s, root, secp256k1.sign_recoverable(key, bare.digest(str(CHAIN_ID))))
