"""Proofs a second, from bytes to verdict, beside the bare cost of the hashes in them."""

from collections.abc import Iterator
from dataclasses import dataclass

import rlp
from trie import HexaryTrie

from bench.verify.rows import Row, compared
from hutong.light_clients.crypto import keccak256, sha256
from hutong.light_clients.proofs import ics23, mpt
from hutong.light_clients.proofs.ics23.operations import apply_inner, apply_leaf
from tests.light_clients.proofs.reference_trees import TREES, Tree, items

LEAVES = 4096
ACCOUNTS = 4096
BATCH = 256


def _preimages(proof: ics23.ExistenceProof) -> list[bytes]:
    """What is hashed on the way from the value to the root, the value itself included."""
    preimages = [proof.value]
    if proof.leaf.prehash_key:
        preimages.append(proof.key)
    node = apply_leaf(proof.leaf, proof.key, proof.value)
    preimages.append(proof.leaf.prefix + bytes(64))
    for op in proof.path:
        preimages.append(op.prefix + node + op.suffix)
        node = apply_inner(op, node)
    return preimages


def _ics23_rows(name: str, tree: Tree) -> list[Row]:
    spec, root = tree.spec, tree.root
    key = tree.keys[LEAVES // 3]
    value = tree.items[key]
    absent = b"key/absent"
    member = ics23.encode_merkle_proof((tree.existence(key),))
    gap = tree.non_existence(absent)
    non_member = ics23.encode_merkle_proof((gap,))
    depth = len(tree.existence(key).path)
    member_hashes = _preimages(tree.existence(key))
    gap_hashes = [preimage for side in (gap.left, gap.right) if side is not None for preimage in _preimages(side)]

    def hash_all(preimages: list[bytes]) -> None:
        for preimage in preimages:
            sha256(preimage)

    return [
        compared(
            f"ICS-23 {name} membership, {depth} steps",
            lambda: ics23.verify_chained((spec,), member, root, (key,), value),
            lambda: hash_all(member_hashes),
        ),
        compared(
            f"ICS-23 {name} absence, two neighbours",
            lambda: ics23.verify_chained((spec,), non_member, root, (absent,), None),
            lambda: hash_all(gap_hashes),
        ),
    ]


@dataclass(frozen=True, slots=True)
class Batch:
    """One compressed proof of many keys."""

    name: str
    tree: Tree
    proof: bytes
    items: list[tuple[bytes, bytes | None]]

    def verify(self) -> None:
        ics23.verify_batch(self.tree.spec, self.proof, self.tree.root, self.items)


def batches_of(tree: Tree) -> Iterator[Batch]:
    """Keys that follow each other, as the packets of a path do, and keys from all over the tree; then the gaps after them."""
    every = f"every {LEAVES // BATCH}th key"
    for where, keys in (("keys in a row", tree.keys[LEAVES // 3 :][:BATCH]), (every, tree.keys[:: LEAVES // BATCH])):
        gaps = sorted((key + b"x" for key in keys), key=tree.order)
        present = ics23.encode_batch_proof(map(tree.existence, keys))
        absent = ics23.encode_batch_proof(map(tree.non_existence, gaps))
        yield Batch(f"existence, {BATCH} {where} in one proof", tree, present, [(key, tree.items[key]) for key in keys])
        yield Batch(f"absence, {BATCH} gaps beside {where} in one proof", tree, absent, [(gap, None) for gap in gaps])


def _batch_row(name: str, batch: Batch) -> Row:
    """Rates are of keys, not of batches. Bare: the hashes of each proof by itself, none shared."""
    count = len(batch.items)
    decoded = ics23.decode_commitment_proof(batch.proof)
    entries = decoded.entries if isinstance(decoded, ics23.BatchProof) else ()
    sides = [
        side
        for entry in entries
        for side in ((entry,) if isinstance(entry, ics23.ExistenceProof) else (entry.left, entry.right))
    ]
    preimages = [preimage for side in sides if side is not None for preimage in _preimages(side)]

    def bare() -> None:
        for preimage in preimages:
            sha256(preimage)

    row = compared(f"ICS-23 {name} {batch.name}", batch.verify, bare)
    return Row(row.name, count * row.rate_per_s, count * row.bare_rate_per_s)


def _proof_of(tree: HexaryTrie, key: bytes) -> list[bytes]:
    nodes = [rlp.encode(node) for node in tree.get_proof(key)]
    return [node for index, node in enumerate(nodes) if len(node) >= 32 or index == 0]


def _mpt_rows() -> list[Row]:
    storage, state = HexaryTrie({}), HexaryTrie({})
    for slot in range(ACCOUNTS):
        storage.set(keccak256(slot.to_bytes(32, "big")), rlp.encode(keccak256(b"%d" % slot)))
    for number in range(ACCOUNTS):
        address = number.to_bytes(20, "big")
        state.set(keccak256(address), rlp.encode([number, 10**18, storage.root_hash, keccak256(b"code")]))
    address, slot = (1234).to_bytes(20, "big"), (567).to_bytes(32, "big")
    account_nodes = _proof_of(state, keccak256(address))
    storage_nodes = _proof_of(storage, keccak256(slot))
    state_root = state.root_hash

    def account() -> mpt.Account:
        proven = mpt.verify_account(state_root, address, account_nodes)
        assert proven is not None
        return proven

    def account_and_slot() -> None:
        assert mpt.verify_storage(account().storage_root, slot, storage_nodes) is not None

    def hash_nodes(nodes: list[bytes]) -> None:
        for node in nodes:
            keccak256(node)

    return [
        compared(
            f"EIP-1186 account, {len(account_nodes)} nodes", account, lambda: hash_nodes([address, *account_nodes])
        ),
        compared(
            f"EIP-1186 account and slot, {len(account_nodes) + len(storage_nodes)} nodes",
            account_and_slot,
            lambda: hash_nodes([address, *account_nodes, slot, *storage_nodes]),
        ),
    ]


def run() -> list[Row]:
    """Rows for `python -m bench verify`; takes some ten seconds."""
    trees = {name: kind(items(LEAVES)) for name, kind in TREES.items()}
    rows = [row for name, tree in trees.items() for row in _ics23_rows(name, tree)]
    rows += [_batch_row(name, batch) for name, tree in trees.items() for batch in batches_of(tree)]
    return rows + _mpt_rows()
