"""Proof formats and codecs by themselves, each beside what is true and beside the library that serves as its reference."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from zlib import crc32

import eth_abi
import rlp
from eth_abi.exceptions import DecodingError
from trie import HexaryTrie

from hutong.light_clients import bitcoin, ethereum
from hutong.light_clients.bitcoin import merkle as bitcoin_merkle
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ethereum import beacon_json
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.evm_header.rpc_json import header_from_rpc, header_to_rpc
from hutong.light_clients.ibc import packet as packets
from hutong.light_clients.ibc.abi import PACKET_TUPLE, decode_packet_abi, encode_packet_abi
from hutong.light_clients.ibc.evm_router import StorageProof, decode_storage_proof, encode_storage_proof
from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.proofs import ics23, merkle, mpt
from hutong.light_clients.proofs.mpt.rlp import decode_rlp
from hutong.light_clients.protobuf import evm_router_pb2, ibc_pb2, ics23_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.tendermint import rpc_json as tendermint_json
from tests.light_clients.bft_evm.simulated_chain import SimulatedChain as EvmChain
from tests.light_clients.ethereum.beacon_api import update_object
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon
from tests.light_clients.mutation.engine import FalseAcceptance, Subject
from tests.light_clients.mutation.forms import Abi, Flat, Json, Protobuf, Rlp
from tests.light_clients.proofs.reference_trees import TREES, Tree, items
from tests.light_clients.tendermint.simulated_chain import SimulatedChain as TendermintChain

MAX_JSON_BYTES = 1 << 20
LEAVES = 64


def _refused(question: Callable[[], object]) -> bool:
    try:
        question()
    except VerificationError:
        return True
    return False


def _ics23(name: str, tree: Tree) -> Iterator[Subject]:
    keys = [tree.keys[0], tree.keys[LEAVES // 3], tree.keys[-1]]
    absent = [b"a", b"key/017", b"z"]

    def first(data: bytes) -> object:
        return parse_canonical(ics23_pb2.MerkleProof, data, "proof", MAX_JSON_BYTES)

    def verify(data: bytes, key: bytes, value: bytes | None) -> None:
        ics23.verify_chained((tree.spec,), data, tree.root, (key,), value)

    def any_of(data: bytes, claims: list[tuple[bytes, bytes | None]]) -> None:
        """The first true claim that holds, and no false one."""
        key = keys[crc32(data) % len(keys)]
        for lie in ((key, b"another value"), (key, None), (absent[crc32(data) % len(absent)], tree.items[key])):
            if not _refused(lambda lie=lie: verify(data, *lie)):
                raise FalseAcceptance(f"{lie}")
        for claim in claims[:-1]:
            if not _refused(lambda claim=claim: verify(data, *claim)):
                return
        verify(data, *claims[-1])

    present_claims: list[tuple[bytes, bytes | None]] = [(key, tree.items[key]) for key in keys]
    absent_claims: list[tuple[bytes, bytes | None]] = [(key, None) for key in absent]
    form = Protobuf(ics23_pb2.MerkleProof)
    seeds = tuple(ics23.encode_merkle_proof((tree.existence(key),)) for key in keys)
    yield Subject(f"ics23 {name} existence", form, seeds, first, lambda data: any_of(data, present_claims))
    seeds = tuple(ics23.encode_merkle_proof((tree.non_existence(key),)) for key in absent)
    yield Subject(f"ics23 {name} absence", form, seeds, first, lambda data: any_of(data, absent_claims))


def _ics23_batch(name: str, tree: Tree) -> Subject:
    """Items in a compressed batch: whatever is changed in it, all are true or it is refused; and no lie beside true ones holds."""
    present, absent = tree.keys[3:6], [b"a", b"key/017", b"z"]
    truths: list[tuple[bytes, bytes | None]] = [
        *((key, tree.items[key]) for key in present),
        *((k, None) for k in absent),
    ]

    def judge(data: bytes) -> None:
        at = crc32(data) % len(truths)
        key, value = truths[at]
        lies = [*truths[:at], (key, b"another value" if value is None else None), *truths[at + 1 :]]
        if not _refused(lambda: ics23.verify_batch(tree.spec, data, tree.root, lies)):
            raise FalseAcceptance(f"{lies[at]}")
        ics23.verify_batch(tree.spec, data, tree.root, truths)

    proofs = [*map(tree.existence, present), *map(tree.non_existence, absent)]
    first = partial(parse_canonical, ics23_pb2.CommitmentProof, field="proof", max_bytes=MAX_JSON_BYTES)
    seeds = (ics23.encode_batch_proof(proofs), ics23.encode_batch_proof(reversed(proofs)))
    return Subject(f"ics23 {name} batch", Protobuf(ics23_pb2.CommitmentProof), seeds, first, judge)


def nodes_of(tree: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """A proof as nodes of a chain serve it: without those that stand inside their parent."""
    encoded = [rlp.encode(node) for node in tree.get_proof(key)]
    return tuple(node for at, node in enumerate(encoded) if len(node) >= 32 or at == 0)


def storage_tries() -> tuple[HexaryTrie, dict[int, bytes]]:
    """A storage trie of 200 slots, with what it holds as words."""
    words = {slot: (slot * slot + 1).to_bytes(32, "big") for slot in range(200)}
    tree = HexaryTrie({})
    for slot, word in words.items():
        tree.set(keccak256(slot.to_bytes(32, "big")), rlp.encode(word.lstrip(b"\0")))
    return tree, words


def _mpt() -> Subject:
    tree, words = storage_tries()
    slots = [0, 7, 199, 777, 778]
    keys = {slot: slot.to_bytes(32, "big") for slot in slots}

    def encoded(nodes: tuple[bytes, ...]) -> bytes:
        return encode_storage_proof(StorageProof(nodes))

    def judge(data: bytes) -> None:
        nodes = decode_storage_proof(data).nodes
        last: VerificationError | None = None
        for slot, key in keys.items():
            try:
                got = mpt.verify_storage(tree.root_hash, key, nodes)
            except VerificationError as error:
                last = error
                continue
            if got != words.get(slot):
                raise FalseAcceptance(f"slot {slot} holds {got!r}")
            leaf = HexaryTrie.get_from_proof(tree.root_hash, keccak256(key), [rlp.decode(node) for node in nodes])
            if (rlp.decode(leaf).rjust(32, b"\0") if leaf else None) != got:
                raise FalseAcceptance(f"slot {slot}: the library reads {leaf!r}")
            return
        if last is not None:
            raise last

    seeds = tuple(encoded(nodes_of(tree, keccak256(key))) for key in keys.values())
    return Subject("mpt storage", Protobuf(evm_router_pb2.StorageProof), seeds, decode_storage_proof, judge)


def _merkle() -> Subject:
    """RFC 6962 proofs, written as total, index, leaf hash and aunts."""
    leaves = [b"item %d" % at for at in range(13)]
    root = merkle.root(leaves)

    def first(data: bytes) -> merkle.MerkleProof:
        if len(data) < 48 or len(data) % 32 != 16:
            raise MalformedInput("proof", "is not two numbers and hashes")
        total, index = (int.from_bytes(data[at : at + 8], "big", signed=True) for at in (0, 8))
        hashes = [data[at : at + 32] for at in range(16, len(data), 32)]
        return merkle.MerkleProof(total, index, hashes[0], tuple(hashes[1:]))

    def judge(data: bytes) -> None:
        proof = first(data)
        if not _refused(lambda: merkle.verify(proof, root, b"item 13")):
            raise FalseAcceptance("an item that is not in the tree")
        at = proof.index if 0 <= proof.index < len(leaves) else 0
        merkle.verify(proof, root, leaves[at])
        if not 0 <= proof.index < len(leaves):
            raise FalseAcceptance(f"item {proof.index} of {proof.total}")

    def encoded(at: int) -> bytes:
        proof = merkle.prove(leaves, at)
        return b"".join((proof.total.to_bytes(8, "big"), at.to_bytes(8, "big"), proof.leaf_hash, *proof.aunts))

    return Subject("rfc 6962 proof", Flat(), tuple(map(encoded, (0, 5, 12))), first, judge)


def _merkle_block() -> Subject:
    """What a `merkleblock` matches under its header's root is in the block, whichever leaves it names."""
    txids = [bytes([at]) * 32 for at in range(1, 12)]
    root = bitcoin_merkle.merkle_root(txids)

    def encoded(*matched: int) -> bytes:
        header = bitcoin.BlockHeader(1, bytes(32), root, 1_700_000_000, 0x207FFFFF, 0)
        return bitcoin.encode_merkle_block(
            bitcoin.MerkleBlock(header, bitcoin_merkle.partial_tree(txids, frozenset(matched)))
        )

    def judge(data: bytes) -> None:
        tree = bitcoin.decode_merkle_block(data).tree
        for at, txid in bitcoin_merkle.partial_tree_matches(tree, root).items():
            if at >= len(txids) or txids[at] != txid:
                raise FalseAcceptance(f"transaction {txid.hex()} at {at}")

    seeds = (encoded(3), encoded(0, 10), encoded())
    return Subject("bitcoin merkleblock", Flat(), seeds, bitcoin.decode_merkle_block, judge)


def _plain(item: object) -> object:
    return item if isinstance(item, bytes) else tuple(map(_plain, item))  # type: ignore[call-overload]


def _rlp() -> Subject:
    chain = EvmChain()
    chain.advance(2)
    seeds = (encode_header(chain.headers[2][0]), rlp.encode([b"dog", [b"", [b"\x7f" * 60]], b"\x80" * 56]))

    def judge(data: bytes) -> None:
        item = decode_rlp(data)
        if _plain(rlp.decode(data, strict=True)) != item or rlp.encode(item) != data:
            raise FalseAcceptance("the library reads or writes it otherwise")

    return Subject("rlp", Rlp(), seeds, decode_rlp, judge)


PACKET = packets.Packet(
    7,
    "client-1",
    "07-tendermint-3",
    1_900_000_000,
    (
        packets.Payload("transfer", "transfer", "ics20-2", "application/x-solidity-abi", b"value" * 9),
        packets.Payload("mailbox", "mailbox", "1", "raw", b"\x01"),
    ),
)


def _abi() -> Subject:
    def judge(data: bytes) -> None:
        packet = decode_packet_abi(data)
        try:
            values = eth_abi.decode([PACKET_TUPLE], data)
        except DecodingError as error:
            raise FalseAcceptance(f"the library refuses it: {error}") from error
        if eth_abi.encode([PACKET_TUPLE], values) != data or values[0][0] != packet.sequence:
            raise FalseAcceptance("the library writes it otherwise")

    return Subject("abi packet", Abi(), (encode_packet_abi(PACKET),), decode_packet_abi, judge)


def _protobuf() -> Iterator[Subject]:
    def first(data: bytes) -> object:
        return parse_canonical(ibc_pb2.Packet, data, "packet", MAX_JSON_BYTES)

    def judge(data: bytes) -> None:
        if packets.encode_packet(packets.decode_packet(data)) != data:
            raise FalseAcceptance("a packet is written otherwise than it was read")

    yield Subject("protobuf packet", Protobuf(ibc_pb2.Packet), (packets.encode_packet(PACKET),), first, judge)


def _json(name: str, value: object, judge: Callable[[object], object]) -> Subject:
    """Nobody signs JSON: what is read of it is judged elsewhere; here it must be read or refused."""

    def parsed(data: bytes) -> object:
        return parse_json(data, "input", MAX_JSON_BYTES)

    seed = json.dumps(value).encode()
    return Subject(f"json {name}", Json(), (seed,), parsed, lambda data: judge(parsed(data)))


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise MalformedInput("input", "is no object")
    return value


def _jsons() -> Iterator[Subject]:
    beacon = SimulatedBeacon()
    beacon.advance()
    update = beacon.header(FIRST_SLOT + 1, with_committee=True).update
    fork, preset = beacon.network.fork_at(update.attested_slot), ethereum.MINIMAL_PRESET
    yield _json("beacon update", update_object(update), lambda value: beacon_json.update(value, fork, preset))
    chain = EvmChain()
    chain.advance(2)
    header = header_to_rpc(chain.headers[2][0])
    yield _json("evm header", header, lambda value: header_from_rpc(_mapping(value)))
    tendermint = TendermintChain()
    tendermint.advance(2)
    signed = tendermint_json.signed_header_to_rpc(tendermint.block(2).signed_header)
    yield _json("tendermint signed header", signed, tendermint_json.signed_header_from_rpc)


def format_subjects() -> Iterator[Subject]:
    """All formats."""
    for name, kind in TREES.items():
        yield from _ics23(name, kind(items(LEAVES)))
        yield _ics23_batch(name, kind(items(LEAVES)))
    yield _mpt()
    yield _merkle()
    yield _merkle_block()
    yield _rlp()
    yield _abi()
    yield from _protobuf()
    yield from _jsons()
