"""Generation 3 does not tell leaves from inner nodes (checklist B47): what a served transaction or receipt shows all the same."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.fisco_bcos import CryptoSuite, header_from_rpc, leaf_v3
from hutong.light_clients.fisco_bcos.rpc_receipt import Kind, has_proof, inclusion_from_rpc
from hutong.light_clients.interface import Height, MalformedInput, PredicateFailed
from tests.light_clients.fisco_bcos.trees import tree_v3

RECORDED = json.loads((Path(__file__).parent / "recorded_blocks.json").read_text())
TRANSACTION = {
    "version": 0,
    "chainID": "chain0",
    "groupID": "group0",
    "blockLimit": 554,
    "nonce": "4136701130988509121948934947898764904775782030652789273072312359979157486885",
    "to": "0x2f4de204ede2876817dadc543f264c6b237b0110",
    "input": "0x8a42ebe9",
    "abi": "",
}
RECEIPT = {
    "version": 0,
    "gasUsed": "13088",
    "contractAddress": "",
    "status": 0,
    "output": "0x",
    "logEntries": [
        {"address": "4721d1a77e0e76851d460073e64ea06d9c104194", "topics": ["0x" + "b5" * 32], "data": "0x00"}
    ],
    "blockNumber": 72,
}
SERVED = {Kind.TRANSACTION: TRANSACTION, Kind.RECEIPT: RECEIPT}
READ = {Kind.TRANSACTION: leaf_v3.transaction_bytes, Kind.RECEIPT: leaf_v3.receipt_bytes}
PROOF = {Kind.TRANSACTION: "txProof", Kind.RECEIPT: "receiptProof"}
BOTH = pytest.mark.parametrize("kind", list(Kind))


def hash_of(kind: Kind) -> bytes:
    return keccak256(READ[kind](SERVED[kind]))


def grouped(hashes: list[bytes], place: int) -> list[str]:
    """The path of the leaf at `place`, as nodes of generation 3 serve it: the size of each group, then its members."""
    if len(hashes) == 1:
        return [hashes[0].hex()]
    served, nodes = [], hashes
    while len(nodes) > 1:
        start = place - place % 2
        members = nodes[start : start + 2]
        served += [len(members).to_bytes(4, "big").hex().ljust(64, "0"), *(node.hex() for node in members)]
        nodes = [keccak256(b"".join(nodes[at : at + 2])) for at in range(0, len(nodes), 2)]
        place //= 2
    return served


def header_with(root: bytes):
    block = header_from_rpc(RECORDED["v3"], Height(0, 0)).block
    return replace(block, transactions_root=root, receipts_root=root)


def judged(kind: Kind, answer: dict, root: bytes, transactions: int | None = None) -> bool:
    """Whether it is shown to be a leaf. Raises where it is not under the root."""
    inclusion = inclusion_from_rpc(answer, kind, CryptoSuite.ECDSA, is_generation_2=False)
    inclusion.verify(CryptoSuite.ECDSA, header_with(root), transactions)
    return inclusion.is_leaf


def test_transaction_of_a_real_chain_is_shown_by_its_fields():
    served = RECORDED["v3_transaction"]
    assert keccak256(leaf_v3.transaction_bytes(served)).hex() == served["hash"].removeprefix("0x")
    root = header_from_rpc(RECORDED["v3"], Height(0, 0)).block.transactions_root
    assert judged(Kind.TRANSACTION, served, root)
    assert not judged(Kind.TRANSACTION, {**served, "input": "0x"}, root)


@pytest.mark.parametrize("served", RECORDED["v3_receipts"], ids=["with a log", "without"])
def test_receipts_of_real_chains_come_out_of_their_fields(served):
    assert keccak256(leaf_v3.receipt_bytes(served)).hex() == served["hash"].removeprefix("0x")


@BOTH
@pytest.mark.parametrize("leaves", [1, 2, 3, 5, 8])
def test_fields_that_give_the_hash_show_a_leaf(kind, leaves):
    hashes = [hash_of(kind), *(bytes([n]) * 32 for n in range(1, leaves))]
    root, _ = tree_v3(keccak256, hashes, 0)
    answer = {**SERVED[kind], "hash": hashes[0].hex(), PROOF[kind]: grouped(hashes, 0)}
    assert judged(kind, answer, root)
    if leaves > 1:
        assert not judged(kind, {"hash": answer["hash"], PROOF[kind]: answer[PROOF[kind]]}, root)


@BOTH
def test_attack_B47_fisco_inner_node_of_generation_3_is_never_shown_to_be_a_leaf(kind):
    """Its path is as good as a leaf's: the verdict is on the hash alone, and says so."""
    leaves = [hash_of(kind), *(bytes([n]) * 32 for n in range(1, 4))]
    inner = [keccak256(b"".join(leaves[at : at + 2])) for at in (0, 2)]
    root, _ = tree_v3(keccak256, leaves, 0)
    path = grouped(inner, 0)
    for fields in ({}, SERVED[kind]):
        assert not judged(kind, {**fields, "hash": inner[0].hex(), PROOF[kind]: path}, root)
    assert judged(kind, {**SERVED[kind], "hash": leaves[0].hex(), PROOF[kind]: grouped(leaves, 0)}, root)


@BOTH
def test_attack_B47_fisco_root_is_no_lone_leaf_unless_the_block_has_one_transaction(kind):
    leaves = [hash_of(kind), b"\1" * 32]
    root, _ = tree_v3(keccak256, leaves, 0)
    lone = {"hash": root.hex(), PROOF[kind]: [root.hex()]}
    for transactions in (None, 0, 2, 1_000):
        with pytest.raises(PredicateFailed, match="lone leaf"):
            judged(kind, lone, root, transactions)
    # The node says that it is the only one: believed of the number, and still by the hash alone.
    assert not judged(kind, lone, root, 1)
    own = {**SERVED[kind], "hash": leaves[0].hex(), PROOF[kind]: [leaves[0].hex()]}
    assert judged(kind, own, leaves[0])


@pytest.mark.parametrize("length", sorted(leaf_v3.INNER_NODE_BYTES))
def test_attack_B47_fisco_fields_as_long_as_an_inner_node_show_nothing(length):
    """Fields are hashed without lengths: such ones could be the children of an inner node."""
    fields = {
        "version": 0,
        "chainID": "",
        "groupID": "",
        "blockLimit": 1,
        "nonce": "",
        "to": "",
        "input": "0x",
        "abi": "",
    }

    def shown(size: int) -> bool:
        served = {**fields, "nonce": "n" * (size - len(leaf_v3.transaction_bytes(fields)))}
        leaf = keccak256(leaf_v3.transaction_bytes(served))
        root, _ = tree_v3(keccak256, [leaf, b"\1" * 32], 0)
        return judged(Kind.TRANSACTION, {**served, "hash": leaf.hex(), "txProof": grouped([leaf, b"\1" * 32], 0)}, root)

    assert not shown(length)
    assert shown(length + 1)


def test_each_proof_of_a_receipts_answer_has_its_own_leaf():
    """3.x serves both paths in one answer: the transaction's hash stands under `transactionHash`, the receipt's under `hash`."""
    transactions, receipts = [hash_of(Kind.TRANSACTION), b"\1" * 32], [hash_of(Kind.RECEIPT), b"\2" * 32]
    answer = {
        **RECEIPT,
        "hash": receipts[0].hex(),
        "transactionHash": transactions[0].hex(),
        "receiptProof": grouped(receipts, 0),
        "transactionProof": grouped(transactions, 0),
    }
    assert has_proof(answer, Kind.TRANSACTION) and has_proof(answer, Kind.RECEIPT)
    assert judged(Kind.RECEIPT, answer, tree_v3(keccak256, receipts, 0)[0])
    assert not judged(Kind.TRANSACTION, answer, tree_v3(keccak256, transactions, 0)[0])
    with pytest.raises(PredicateFailed):
        judged(Kind.TRANSACTION, answer, tree_v3(keccak256, receipts, 0)[0])
    for missing in ("receiptProof", "transactionProof"):
        kind = Kind.RECEIPT if missing == "receiptProof" else Kind.TRANSACTION
        with pytest.raises(MalformedInput, match="no Merkle path"):
            judged(kind, {**answer, missing: None}, b"\1" * 32)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@BOTH
@given(data=st.data())
def test_whatever_is_served_is_read_or_refused(kind, data):
    field = data.draw(st.sampled_from(sorted(SERVED[kind])))
    try:
        assert isinstance(READ[kind]({**SERVED[kind], field: data.draw(JSON)}), bytes)
    except MalformedInput:
        pass


@BOTH
@pytest.mark.parametrize("version", [1, 2, None])
def test_later_versions_and_missing_fields_are_not_read(kind, version):
    with pytest.raises(MalformedInput, match="version"):
        READ[kind]({**SERVED[kind], "version": version})
    for field in SERVED[kind]:
        with pytest.raises(MalformedInput, match=field):
            READ[kind]({name: value for name, value in SERVED[kind].items() if name != field})
