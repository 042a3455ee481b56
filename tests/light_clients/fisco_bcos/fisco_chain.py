"""A whole FISCO BCOS chain in memory, of either generation and suite: sealers with keys, headers, receipts, proofs.

Tests say "send this packet, drop that sealer, sign with two keys" and read like the attack that they prevent.
"""

from dataclasses import dataclass, replace
from functools import cache

import gmssl_pyx
import rlp
from eth_abi import encode

from hutong.light_clients.crypto import gm, keccak256, secp256k1
from hutong.light_clients.fisco_bcos import (
    BlockHeaderV2,
    BlockHeaderV3,
    ClientState,
    ConsensusState,
    CryptoSuite,
    EventProof,
    Generation,
    Header,
    MerkleStep,
    Misbehaviour,
    Sealer,
    SealSignature,
    consensus_state_of,
    encode_block_header,
    encode_client_state,
    encode_consensus_state,
    encode_event_proof,
    encode_header_message,
    encode_misbehaviour,
)
from hutong.light_clients.fisco_bcos.receipt import SEND_PACKET_TOPIC, WRITE_ACKNOWLEDGEMENT_TOPIC
from hutong.light_clients.ibc.abi import PACKET_TUPLE, packet_to_tuple
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import Height, MemoryConsensusStates
from tests.light_clients.fisco_bcos.trees import tree_v2, tree_v3

ROUTER = bytes.fromhex("00000000000000000000000000000000c0ffee00")
GENESIS_TIME_MS = 1_700_000_000_000
CHAIN_ID = "chain0/group0"
SUCCESS, REVERTED = 0, 16


@dataclass(frozen=True)
class Key:
    private: bytes
    public: bytes


@cache
def key_of(suite: CryptoSuite, number: int) -> Key:
    """Of the n-th sealer ever."""
    if suite is CryptoSuite.GM:
        public, private = gmssl_pyx.sm2_key_generate()
        return Key(private, public)
    private = keccak256(b"sealer" + number.to_bytes(4, "big"))
    x, y = secp256k1.decompress(secp256k1.public_key_of(private))
    return Key(private, x.to_bytes(32, "big") + y.to_bytes(32, "big"))


def from_der(signature: bytes) -> bytes:
    first = signature[4 : 4 + signature[3]]
    second = signature[4 + signature[3] + 2 :]
    return b"".join(half.lstrip(b"\0").rjust(32, b"\0") for half in (first, second))


def sign(suite: CryptoSuite, generation: Generation, key: Key, digest: bytes) -> bytes:
    if suite is CryptoSuite.ECDSA:
        return secp256k1.sign_recoverable(key.private, digest)
    signature = from_der(gmssl_pyx.sm2_sign(key.private, key.public, digest))
    return signature + key.public if generation is Generation.V2 else signature


def packet(sequence: int = 1, client: str = "client-0", **changes) -> Packet:
    payload = Payload("gmpport", "gmpport", "ics27-2", "application/x-solidity-abi", b"message %d" % sequence)
    return replace(Packet(sequence, client, "fisco-bcos-0", 1_700_000_900, (payload,)), **changes)


def sent(packet: Packet, router: bytes = ROUTER, digest=keccak256) -> list:
    """The router's log of a packet that it sent; `digest` is the chain's own, which hashes indexed strings."""
    topics = [SEND_PACKET_TOPIC, digest(packet.source_client.encode()), packet.sequence.to_bytes(32, "big")]
    return [router, topics, encode([PACKET_TUPLE], [packet_to_tuple(packet)])]


def acknowledged(packet: Packet, acknowledgement: Acknowledgement, digest=keccak256) -> list:
    """The router's log of a packet that it received."""
    topics = [
        WRITE_ACKNOWLEDGEMENT_TOPIC,
        digest(packet.destination_client.encode()),
        packet.sequence.to_bytes(32, "big"),
    ]
    values = [packet_to_tuple(packet), list(acknowledgement.app_acknowledgements)]
    return [ROUTER, topics, encode([PACKET_TUPLE, "bytes[]"], values)]


def receipt(logs: list, *, status: int = SUCCESS, output: bytes = b"", with_remaining_gas: bool = False) -> bytes:
    """RLP of a receipt with these logs, by nodes below 2.9 or from there on."""
    fields = [bytes(32), 21_000, bytes(20), bytes(256), status, output]
    return rlp.encode([*fields, *([7_000] if with_remaining_gas else []), logs])


FILLER = receipt([[b"\x11" * 20, [b"\x22" * 32], b"unrelated"]])


@dataclass(frozen=True)
class Block:
    header: BlockHeaderV2 | BlockHeaderV3
    signatures: tuple[SealSignature, ...]
    receipts: tuple[bytes, ...]

    def message(self, trusted_height: int) -> Header:
        return Header(Height(0, trusted_height), encode_block_header(self.header), self.header, self.signatures)


class SimulatedChain:
    """Heights start at 1 with the first block."""

    def __init__(
        self,
        generation: Generation = Generation.V2,
        suite: CryptoSuite = CryptoSuite.ECDSA,
        sealers: int = 4,
        weights: list[int] | None = None,
    ) -> None:
        self.generation, self.suite = generation, suite
        self.numbers = list(range(sealers))
        self.weights = weights
        self.receipts_of: dict[int, list[bytes]] = {}
        self.blocks: dict[int, Block] = {}
        self.advance()

    # what the chain is asked to do

    @property
    def height(self) -> int:
        return len(self.blocks)

    @property
    def now_ns(self) -> int:
        return self.blocks[self.height].header.timestamp_ms * 1_000_000

    def include(self, receipt_rlp: bytes, height: int | None = None) -> None:
        """A transaction with this receipt is in the next block, or the one at `height`."""
        self.receipts_of.setdefault(height or self.height + 1, []).append(receipt_rlp)

    def replace_sealers(self, numbers: range | list[int], weights: list[int] | None = None) -> None:
        self.numbers, self.weights = list(numbers), weights

    def advance(self, blocks: int = 1, **changes) -> None:
        for _ in range(blocks):
            number = self.height + 1
            receipts = (FILLER, *self.receipts_of.get(number, ()))
            self.blocks[number] = self.propose(number, receipts=receipts, **changes)

    # parts

    def digest(self, data: bytes) -> bytes:
        return keccak256(data) if self.suite is CryptoSuite.ECDSA else gm.sm3(data)

    def keys(self, numbers: list[int] | None = None) -> list[Key]:
        return sorted(
            (key_of(self.suite, number) for number in (self.numbers if numbers is None else numbers)),
            key=lambda key: key.public,
        )

    def root(self, hashes: list[bytes]) -> bytes:
        build = tree_v2 if self.generation is Generation.V2 else tree_v3
        return build(self.digest, hashes)[0]

    def block_hash(self, header: BlockHeaderV2 | BlockHeaderV3) -> bytes:
        return self.digest(encode_block_header(header))

    def propose(
        self,
        number: int,
        *,
        receipts: tuple[bytes, ...] | None = None,
        keys: list[Key] | None = None,
        weights: list[int] | None = None,
        signers: list[int] | None = None,
        **changes,
    ) -> Block:
        """A signed block at `number` that need not be the chain's own. `signers` are positions in its sealer list."""
        own = self.blocks.get(number)
        receipts = receipts if receipts is not None else own.receipts if own else (FILLER,)
        keys = keys if keys is not None else self.keys()
        weights = weights or self.weights or [1] * len(keys)
        parent = self.blocks.get(number - 1)
        common = {
            "parent_hash": self.block_hash(parent.header) if parent else b"\x99" * 32,
            "state_root": self.digest(b"state %d" % number),
            "transactions_root": self.root([self.digest(b"transaction %d" % n) for n in range(len(receipts))]),
            "receipts_root": self.root([self.digest(data) for data in receipts]),
            "number": number,
            "gas_used": 21_000 * len(receipts),
            "timestamp_ms": GENESIS_TIME_MS + 1_000 * number,
            "sealer": number % len(keys),
        }
        if self.generation is Generation.V2:
            header = BlockHeaderV2(
                **common,
                db_hash=bytes(32),
                logs_bloom=bytes(256),
                gas_limit=0,
                extra_data=(),
                sealer_list=tuple(key.public for key in keys),
            )
        else:
            header = BlockHeaderV3(
                **common,
                version=0x03020000,
                parent_number=number - 1,
                sealers=tuple(Sealer(key.public, weight) for key, weight in zip(keys, weights, strict=True)),
            )
        header = replace(header, **changes)
        return self.signed(header, keys, range(len(keys)) if signers is None else signers, receipts)

    def signed(self, header, keys: list[Key], signers, receipts: tuple[bytes, ...] = (FILLER,)) -> Block:
        digest = self.block_hash(header)
        signatures = tuple(
            SealSignature(index, sign(self.suite, self.generation, keys[index], digest)) for index in signers
        )
        return Block(header, signatures, receipts)

    # what a client is given

    def client_state(self, height: int, **changed: object) -> bytes:
        state = ClientState(
            chain_id=CHAIN_ID,
            generation=self.generation,
            crypto_suite=self.suite,
            router_address=ROUTER,
            trusting_period_s=1_000,
            max_clock_drift_s=15,
            latest_height=Height(0, height),
        )
        return encode_client_state(replace(state, **changed))

    def state(self, height: int) -> ConsensusState:
        return consensus_state_of(self.blocks[height].message(0))

    def consensus_state(self, height: int) -> bytes:
        return encode_consensus_state(self.state(height))

    def update(self, height: int, trusted_height: int, block: Block | None = None) -> Header:
        return (block or self.blocks[height]).message(trusted_height)

    def header(self, height: int, trusted_height: int) -> bytes:
        return encode_header_message(self.update(height, trusted_height))

    def misbehaviour(self, first: Header, second: Header) -> bytes:
        return encode_misbehaviour(Misbehaviour(first, second))

    def steps(self, height: int, place: int) -> tuple[MerkleStep, ...]:
        return tree_v2(self.digest, [self.digest(data) for data in self.blocks[height].receipts], place)[1]

    def event_proof(self, height: int, place: int, log_index: int = 0) -> EventProof:
        return EventProof(place, self.blocks[height].receipts[place], self.steps(height, place), log_index)

    def proof_of(self, height: int, receipt_rlp: bytes) -> bytes:
        """Of the first log in that receipt."""
        return encode_event_proof(self.event_proof(height, self.blocks[height].receipts.index(receipt_rlp)))


def trusting(chain: SimulatedChain, *heights: int) -> tuple[bytes, MemoryConsensusStates]:
    """Client state and stored states of a client that has been brought to `heights`."""
    states = {Height(0, height): chain.consensus_state(height) for height in heights}
    return chain.client_state(max(heights)), MemoryConsensusStates(states)
