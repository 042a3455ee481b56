"""A period of deliveries over a hub, made by simulated chains: real seals, commits, state trees and proofs.

Two QBFT chains and a hub live in lockstep. In each round a batch of packets leaves both chains, is sent on by the hub,
arrives, and its acknowledgements travel back in the next round; so a batch shares its headers, as a relay's batches do.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import rlp
from trie import HexaryTrie

from hutong.light_clients.bft_evm import ExtraData, block_hash
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.ibc.abi import ABI_ENCODING, encode_packet_abi
from hutong.light_clients.ibc.commitment import (
    RECEIPT_VALUE,
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    MAX_HOPS,
    ForwardRequest,
    OriginStamp,
    StampedPayload,
    encode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload
from hutong.light_clients.ibc.transfer import (
    SUCCESS_ACKNOWLEDGEMENT,
    TRANSFER_PORT,
    TRANSFER_VERSION,
    ForwardInstruction,
    TransferData,
    encode_forward_memo,
    encode_transfer,
)
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import TrustLevel
from hutong.relay.archive.bundle import (
    Bundle,
    ChainHeaders,
    ChainKind,
    Claim,
    HeaderEntry,
    Leg,
    StateProof,
    encode_bundle,
)
from hutong.relay.archive.checkpoint import BftEvmTrust, Checkpoint, Remote, TendermintTrust
from hutong.relay.audit.tendermint import canonical_validator_set
from hutong.relay.hub.state.proofs import merkle_proof
from hutong.relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree
from tests.light_clients.bft_evm.simulated_chain import (
    GENESIS_TIME_S,
    ROUTER,
    ROUTER_CODE_HASH,
    address_of,
    key_of,
    proof_nodes,
    seal,
    slot_of,
    unsealed_header,
)
from tests.light_clients.tendermint.simulated_chain import SimulatedChain as TendermintChain

HUB = "hutong-1"
CHAINS = ("1001", "1002")
HUB_CLIENTS = {"1001": "bft-evm-0", "1002": "bft-evm-1"}
CLIENT = "client-0"
TOKEN = "0x" + "c0" * 20
USER = "0x" + "5e" * 20
PERIOD_S = 604_800
DONE = Acknowledgement((b"done",))
PAID = Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,))


class QbftChain:
    """Blocks with one storage trie that grows; every root stays readable."""

    def __init__(self, chain_id: str, validators: int = 4) -> None:
        self.chain_id = chain_id
        offset = 1_000 * int(chain_id)
        self.keys = sorted((key_of(offset + number) for number in range(validators)), key=address_of)
        self.headers: list = []
        self.roots: list[bytes] = []
        self.accounts: list[tuple[bytes, ...]] = []
        self._storage = HexaryTrie({})
        self._account_trie = HexaryTrie({})
        for number in range(40):
            address = keccak256(bytes([number]))[:20]
            self._account_trie[keccak256(address)] = rlp.encode([number, 10**18, bytes(32), keccak256(b"")])
        self.advance({b"client-0\x01" + bytes(8): b"\x11" * 32})

    @property
    def height(self) -> int:
        return len(self.headers)

    def advance(self, changes: dict[bytes, bytes | None]) -> int:
        for key, value in changes.items():
            slot = keccak256(slot_of(key))
            if value is None:
                del self._storage[slot]
            else:
                self._storage[slot] = rlp.encode(value.lstrip(b"\0"))
        root = self._storage.root_hash
        self._account_trie[keccak256(ROUTER)] = rlp.encode([1, 0, root, ROUTER_CODE_HASH])
        number = self.height + 1
        parent = block_hash(*self.headers[-1]) if self.headers else bytes(32)
        state_root, time_s = self._account_trie.root_hash, GENESIS_TIME_S + number
        header = unsealed_header(number, time_s, parent, state_root, address_of(self.keys[0]))
        extra = ExtraData(bytes(32), tuple(map(address_of, self.keys)), None, 0, ())
        self.headers.append(seal(header, extra, self.keys))
        self.roots.append(root)
        self.accounts.append(proof_nodes(self._account_trie, ROUTER))
        return number

    def entry(self, height: int) -> HeaderEntry:
        return HeaderEntry(encode_header(self.headers[height - 1][0]), None, self.accounts[height - 1])

    def proof(self, height: int, key: bytes) -> bytes:
        trie = HexaryTrie(self._storage.db, self.roots[height - 1])
        return encode_storage_proof(StorageProof(proof_nodes(trie, slot_of(key))))

    def checkpoint(self, height: int = 1) -> Checkpoint:
        header, extra = self.headers[height - 1]
        return Checkpoint(
            self.chain_id,
            ChainKind.BFT_EVM,
            height,
            block_hash(header, extra),
            header.timestamp_s * NANOSECONDS_PER_SECOND,
            PERIOD_S,
            30,
            {CLIENT: Remote(HUB, HUB_CLIENTS[self.chain_id])},
            BftEvmTrust(ROUTER),
            encode_header(header),
        )


class Hub:
    """A CometBFT chain over the hub's own state tree: the header above a block commits to the state after it."""

    def __init__(self) -> None:
        self.chain = TendermintChain(HUB)
        self._nodes: dict[bytes, bytes] = {}
        self.tree = SparseMerkleTree(self._nodes)
        self.root = EMPTY_ROOT
        self.apply({b"genesis": b"\1"})
        self.chain.advance(app_hash=self.root)

    def apply(self, changes: dict[bytes, bytes | None]) -> None:
        self.root, nodes = self.tree.update(self.root, changes)
        self._nodes.update(nodes)

    def advance(self, changes: dict[bytes, bytes | None]) -> int:
        """The height whose header proves the changes."""
        self.apply(changes)
        return self.chain.advance(app_hash=self.root).header.height

    def entry(self, height: int) -> HeaderEntry:
        signed = self.chain.block(height).signed_header
        return HeaderEntry(codec.encode_header(signed.header), codec.encode_commit(signed.commit))

    def proof(self, height: int, key: bytes) -> bytes:
        return merkle_proof(self.tree, self.chain.block(height).header.app_hash, key)

    @property
    def validator_sets(self) -> tuple[bytes, ...]:
        return (codec.encode_validator_set(canonical_validator_set(self.chain.latest.validators)),)

    def checkpoint(self, height: int = 2) -> Checkpoint:
        header = self.chain.block(height).header
        return Checkpoint(
            HUB,
            ChainKind.TENDERMINT,
            height,
            header_hash(header),
            header.time_ns,
            PERIOD_S,
            30,
            {client: Remote(chain_id, CLIENT) for chain_id, client in HUB_CLIENTS.items()},
            TendermintTrust(TrustLevel(1, 3), (b"",), ("smt",)),
            codec.encode_header(header),
        )


@dataclass
class _Way:
    """One delivery: both packets, how each ended, and the heights at which its steps are proven."""

    source: QbftChain
    destination: QbftChain
    first: Packet
    second: Packet
    acknowledgement: Acknowledgement
    refund: Acknowledgement | None = None
    """What a lying hub tells the sender instead."""
    heights: dict[str, int] = field(default_factory=dict)

    @property
    def told(self) -> Acknowledgement:
        """The first leg's acknowledgement."""
        return self.refund or self.acknowledgement


class Period:
    """Deliveries in the order in which they were sent; `make` yields (file name, bundle)."""

    def __init__(self) -> None:
        self.sides = {chain_id: QbftChain(chain_id) for chain_id in CHAINS}
        self.hub = Hub()
        self.sequences = dict.fromkeys([*CHAINS, *HUB_CLIENTS.values()], 0)
        self._entries: dict[tuple[str, int], HeaderEntry] = {}

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """At the first blocks, below every proof."""
        return [*(side.checkpoint() for side in self.sides.values()), self.hub.checkpoint()]

    @property
    def now_ns(self) -> int:
        return self.hub.chain.latest.header.time_ns + 600 * NANOSECONDS_PER_SECOND

    def make(self, deliveries: int, batch: int = 25) -> Iterator[tuple[str, Bundle]]:
        """`batch` packets of each chain in each round. Every third is a transfer; of 1001's token, out and home again."""
        under_way: list[_Way] = []
        made = 0
        while made < deliveries or under_way:
            count = min(batch, -(-(deliveries - made) // 2))
            fresh = [
                self._packet(chain_id, made + index * 2 + side)
                for index in range(count)
                for side, chain_id in enumerate(CHAINS)
                if made + index * 2 + side < deliveries
            ]
            made += len(fresh)
            self._round(under_way, fresh)
            for way in under_way:
                yield f"{way.source.chain_id}-{CLIENT}-{way.first.sequence}.bundle.json", self._bundle(way)
            under_way = fresh

    def refunded_and_delivered(self) -> Bundle:
        """The hub tells the sender that the delivery failed, and it did not."""
        way = self._packet("1001", 1)
        way.refund = ERROR
        self._round([], [way])
        self._round([way], [])
        return self._bundle(way)

    def acknowledged_with(self, acknowledgement: Acknowledgement) -> Bundle:
        """One delivery. Another period that acknowledges it otherwise is another history of the same chains."""
        way = self._packet("1001", 1)
        way.acknowledgement = acknowledgement
        self._round([], [way])
        self._round([way], [])
        return self._bundle(way)

    def sent_on_twice(self) -> tuple[Bundle, Bundle]:
        """The hub makes two packets of one: the delivery with the one, and with the other."""
        way = self._packet("1001", 1)
        again = replace(way.second, sequence=self._next(way.second.source_client))
        ways = [way, replace(way, second=again)]
        self._round([], ways)
        self._round(ways, [])
        first, second = map(self._bundle, ways)
        return first, second

    def _next(self, name: str) -> int:
        self.sequences[name] += 1
        return self.sequences[name]

    def _packet(self, chain_id: str, number: int) -> _Way:
        (other,) = set(CHAINS) - {chain_id}
        arriving, leaving = HUB_CLIENTS[chain_id], HUB_CLIENTS[other]
        late_s = GENESIS_TIME_S + 80_000
        sequence = self._next(chain_id)
        if number % 3:
            request = ForwardRequest(leaving, "gmpport", "ics27-2", ABI_ENCODING, late_s + 5, b"message %d" % number)
            payload = Payload("gmpport", FORWARD_PORT, FORWARD_VERSION, ABI_ENCODING, encode_forward_request(request))
            stamp = OriginStamp(1, arriving, "gmpport", FORWARD_PORT, sequence, MAX_HOPS)
            stamped = StampedPayload(stamp, request.version, request.encoding, request.value)
            value = encode_stamped_payload(stamped)
            onward = Payload(FORWARD_PORT, "gmpport", FORWARD_VERSION, ABI_ENCODING, value)
            acknowledgement = DONE
        else:
            payload, onward = self._tokens(chain_id, arriving, leaving, late_s, number)
            acknowledgement = PAID
        if number % 50 == 7:
            acknowledgement = ERROR
        return _Way(
            self.sides[chain_id],
            self.sides[other],
            Packet(sequence, CLIENT, arriving, late_s, (payload,)),
            Packet(self._next(leaving), leaving, CLIENT, late_s + 5, (onward,)),
            acknowledgement,
        )

    @staticmethod
    def _tokens(chain_id: str, arriving: str, leaving: str, late_s: int, number: int) -> tuple[Payload, Payload]:
        """1001 sends its token, 1002 sends it home, half as much: on the hub it is `transfer/bft-evm-0/0x…`."""
        on_hub = Denom.parse(TOKEN).prefixed(TRANSFER_PORT, HUB_CLIENTS["1001"])
        is_home = chain_id == "1001"
        denom = Denom.parse(TOKEN) if is_home else on_hub.prefixed(TRANSFER_PORT, CLIENT)
        amount = 1_000 if is_home else 500
        memo = encode_forward_memo(ForwardInstruction(USER, leaving, late_s + 5))
        sent = TransferData(denom.path, USER, USER, amount, memo)
        passed = TransferData(on_hub.path, f"{arriving}/{USER}", USER, amount)
        first, second = (
            Payload(TRANSFER_PORT, TRANSFER_PORT, TRANSFER_VERSION, ABI_ENCODING, encode_transfer(data, ABI_ENCODING))
            for data in (sent, passed)
        )
        return first, second

    def _round(self, older: list[_Way], fresh: list[_Way]) -> None:
        """Older packets are acknowledged and settled, fresh ones sent and received."""
        sent = {chain_id: {} for chain_id in CHAINS}
        for way in fresh:
            sent[way.source.chain_id][commitment_key(way.first)] = packet_commitment(way.first)
        self._advance_sides(sent, fresh, "sent")
        passed: dict[bytes, bytes | None] = {}
        for way in fresh:
            passed[receipt_key(way.first)] = RECEIPT_VALUE
            passed[commitment_key(way.second)] = packet_commitment(way.second)
        for way in older:
            passed[commitment_key(way.second)] = None
            passed[acknowledgement_key(way.first)] = acknowledgement_commitment(way.told)
        height = self.hub.advance(passed)
        for way in fresh:
            way.heights["hub sent"] = height
        for way in older:
            way.heights["hub acknowledged"] = height
        arrived = {chain_id: {} for chain_id in CHAINS}
        for way in fresh:
            side = arrived[way.destination.chain_id]
            side[receipt_key(way.second)] = keccak256(encode_packet_abi(way.second))
            side[acknowledgement_key(way.second)] = acknowledgement_commitment(way.acknowledgement)
        for way in older:
            arrived[way.source.chain_id][commitment_key(way.first)] = None
        self._advance_sides(arrived, [], "")
        for way in fresh:
            way.heights["received"] = way.destination.height
        for way in older:
            way.heights["settled"] = way.source.height

    def _advance_sides(self, changes: dict, ways: list[_Way], name: str) -> None:
        for chain_id, side in self.sides.items():
            side.advance(changes[chain_id])
        for way in ways:
            way.heights[name] = way.source.height

    def _bundle(self, way: _Way) -> Bundle:
        at, hub = way.heights, self.hub
        hub_sent, hub_acknowledged = (Height(1, at[name]) for name in ("hub sent", "hub acknowledged"))
        key, key_2 = commitment_key(way.first), commitment_key(way.second)
        written = hub.proof(at["hub acknowledged"], acknowledgement_key(way.first))
        first = (
            StateProof(Claim.SENT, Height(0, at["sent"]), way.source.proof(at["sent"], key)),
            StateProof(Claim.ACKNOWLEDGED, hub_acknowledged, written),
            StateProof(Claim.SETTLED, Height(0, at["settled"]), way.source.proof(at["settled"], key)),
        )
        arrived = way.destination.proof(at["received"], acknowledgement_key(way.second))
        second = (
            StateProof(Claim.SENT, hub_sent, hub.proof(at["hub sent"], key_2)),
            StateProof(Claim.ACKNOWLEDGED, Height(0, at["received"]), arrived),
            StateProof(Claim.SETTLED, hub_acknowledged, hub.proof(at["hub acknowledged"], key_2)),
        )
        source, destination = way.source.chain_id, way.destination.chain_id
        chains = {
            source: self._headers(way.source, (at["sent"], at["settled"])),
            destination: self._headers(way.destination, (at["received"],)),
            HUB: ChainHeaders(
                HUB,
                ChainKind.TENDERMINT,
                tuple(self._entry(hub, HUB, at[name]) for name in ("hub sent", "hub acknowledged")),
                hub.validator_sets,
            ),
        }
        return Bundle(
            (
                Leg(source, HUB, way.first, way.told, first),
                Leg(HUB, destination, way.second, way.acknowledgement, second),
            ),
            tuple(chains[name] for name in sorted(chains)),
        )

    def _headers(self, side: QbftChain, heights: tuple[int, ...]) -> ChainHeaders:
        entries = tuple(self._entry(side, side.chain_id, height) for height in heights)
        return ChainHeaders(side.chain_id, ChainKind.BFT_EVM, entries)

    def _entry(self, chain: QbftChain | Hub, name: str, height: int) -> HeaderEntry:
        known = self._entries.get((name, height))
        if known is None:
            known = self._entries[name, height] = chain.entry(height)
        return known


def encoded(period: Period, deliveries: int, batch: int = 25) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of each bundle."""
    for name, bundle in period.make(deliveries, batch):
        yield name, encode_bundle(bundle)
