"""btcd as outside judge of the bitcoin client: its chain is believed, its verdicts are ours, its policy takes our messages."""

import time
from dataclasses import replace

import bech32
import pytest

from hutong.light_clients.bitcoin import (
    BitcoinClient,
    ClientState,
    Header,
    HeaderTree,
    MembershipProof,
    Network,
    Transaction,
    TransactionOutput,
    decode_block_header,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_membership_proof,
    encode_message,
    message_for,
    message_proof,
    parameters_of,
    state_from_ancestors,
)
from hutong.light_clients.bitcoin.merkle import merkle_branch, merkle_root
from hutong.light_clients.bitcoin.types import ConsensusState, display, hash256
from hutong.light_clients.bitcoin.wire import compact_size, decode_block
from hutong.light_clients.crypto import ripemd160, secp256k1, sha256
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    MemoryConsensusStates,
    Misbehaved,
    PredicateFailed,
    Updated,
)
from tests.light_clients.bitcoin.bitcoin_chain import Block, child_of, mine, payment, spending, transaction
from tests.light_clients.bitcoin.test_bitcoin_assembly import judged, page_text
from tests.nodes.running_btcd import Btcd, running_btcd

pytestmark = pytest.mark.nodes

REGTEST = parameters_of(Network.REGTEST)
PRIVATE_KEY = sha256(b"publisher of the node tests")
KEY_HASH = ripemd160(sha256(secp256k1.public_key_of(PRIVATE_KEY)))
PUBLISHER = b"\x00\x14" + KEY_HASH
ADDRESS = bech32.encode("bcrt", 0, KEY_HASH)
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
VALUE = bytes(range(1, 33))
MATURE = 101
DEPTH = 3
SUBSIDY_SAT = 50 * 10**8


@pytest.fixture
def node(tmp_path):
    with running_btcd(tmp_path, ADDRESS) as node:
        yield node


def now_ns() -> int:
    return time.time_ns()


def raw_block(block: Block) -> bytes:
    return (
        block.header.encode()
        + compact_size(len(block.transactions))
        + b"".join(tx.serialized for tx in block.transactions)
    )


def followed(node: Btcd) -> HeaderTree:
    """A tree from genesis over every header that the node has on its best chain."""
    hashes = [node.request("getblockhash", height) for height in range(node.request("getblockcount") + 1)]
    headers = [decode_block_header(node.header(block_hash)) for block_hash in hashes]
    assert [display(header.block_hash) for header in headers] == hashes
    tree = HeaderTree(state_from_ancestors(tuple(headers[:1]), 0, REGTEST), REGTEST)
    for header in headers[1:]:
        assert tree.add(header, now_ns()).depth == 0
    return tree


def best(node: Btcd) -> str:
    return node.request("getbestblockhash")


def test_nodes_chain_is_believed_and_reorganised_as_the_node_does(node):
    node.request("generate", 12)
    tree = followed(node)
    assert display(tree.tip.block_hash) == best(node)
    root = tree.best_chain()[-4]
    branch: list[Block] = []
    parent = root
    for length in range(1, 6):
        block = child_of(parent, time_s=parent.time_s + 1, salt=length)
        parent = block.state
        branch.append(block)
        change = tree.add(block.header, now_ns())
        assert node.submit(raw_block(block)) is None
        assert display(tree.tip.block_hash) == best(node), f"after {length} blocks"
        assert (change is not None) is (length > 3)
    assert tree.confirmations(branch[0].state.block_hash) == 5
    (mined,) = node.request("generate", 1)
    tree.add(decode_block_header(node.header(mined)), now_ns())
    assert display(tree.tip.block_hash) == best(node) == mined


def test_what_the_client_refuses_the_node_refuses(node):
    node.request("generate", 12)
    tree = followed(node)
    parent = tree.tip
    honest = child_of(parent, time_s=parent.time_s + 1, salt=1)
    future_s = now_ns() // NANOSECONDS_PER_SECOND + 7_200 + 60
    for predicate, header, sentence in (
        ("difficulty_as_required", mine(replace(honest.header, bits=0x207FFFFE)), "difficulty"),
        ("difficulty_as_required", mine(replace(honest.header, bits=0x2000FFFF)), "difficulty"),
        ("proof_of_work", mine(honest.header, meet=False), "higher than expected"),
        ("time_above_median", mine(replace(honest.header, time_s=parent.median_time_past_s)), "not after expected"),
        ("header_not_from_future", mine(replace(honest.header, time_s=future_s)), "too far in the future"),
        ("parent_known", mine(replace(honest.header, previous_block_hash=hash256(b"nobody"))), None),
    ):
        with pytest.raises(PredicateFailed) as caught:
            tree.add(header, now_ns())
        assert caught.value.predicate == predicate
        answer = node.submit(raw_block(replace(honest, header=header)))
        # A block without a known parent is kept aside as an orphan, without a word.
        assert answer is None if sentence is None else sentence in answer, (predicate, answer)
        assert best(node) == display(parent.block_hash)
    odd = child_of(parent, (payment(1), payment(2)), time_s=parent.time_s + 1)
    mutated = (*odd.transactions, odd.transactions[-1])
    assert "duplicate" in node.submit(raw_block(replace(odd, transactions=mutated)))
    with pytest.raises(PredicateFailed):
        merkle_root([tx.txid for tx in mutated])
    edge = mine(replace(honest.header, time_s=parent.median_time_past_s + 1))
    assert node.submit(raw_block(replace(honest, header=edge))) is None
    assert tree.add(edge, now_ns()).depth == 0
    assert display(tree.tip.block_hash) == best(node)


def signed(unsigned: Transaction, amount_sat: int) -> bytes:
    """The one input is a P2WPKH output of ours: BIP143, SIGHASH_ALL. Wire form with witness."""
    (only,) = unsigned.inputs
    outpoint = only.spent.txid + only.spent.index.to_bytes(4, "little")
    sequence = only.sequence.to_bytes(4, "little")
    outputs = unsigned.serialized[4 + 1 + 41 + 1 : -4]
    preimage = (
        unsigned.serialized[:4]
        + hash256(outpoint)
        + hash256(sequence)
        + outpoint
        + b"\x19\x76\xa9\x14"
        + KEY_HASH
        + b"\x88\xac"
        + amount_sat.to_bytes(8, "little")
        + sequence
        + hash256(outputs)
        + unsigned.serialized[-4:]
        + (1).to_bytes(4, "little")
    )
    compact = secp256k1.sign(PRIVATE_KEY, hash256(preimage))
    signature = der(compact[:32], compact[32:64]) + b"\x01"
    public_key = secp256k1.public_key_of(PRIVATE_KEY)
    witness = b"\x02" + b"".join(compact_size(len(item)) + item for item in (signature, public_key))
    body = unsigned.serialized
    return body[:4] + b"\x00\x01" + body[4:-4] + witness + body[-4:]


def der(r: bytes, s: bytes) -> bytes:
    def integer(data: bytes) -> bytes:
        data = data.lstrip(b"\0")
        data = b"\0" + data if data[0] & 0x80 else data
        return b"\x02" + bytes([len(data)]) + data

    inside = integer(r) + integer(s)
    return b"\x30" + bytes([len(inside)]) + inside


def blocks_of(node: Btcd, first: int, last: int):
    return [decode_block(node.block(node.request("getblockhash", height))) for height in range(first, last + 1)]


def client_at(state: ConsensusState) -> tuple[bytes, MemoryConsensusStates]:
    client = ClientState(
        network=Network.REGTEST,
        publisher_script=PUBLISHER,
        confirmation_depth=DEPTH,
        trusting_period_s=86_400,
        latest_height=Height(0, state.height),
        best_chainwork=state.chainwork,
    )
    return encode_client_state(client), MemoryConsensusStates({client.latest_height: encode_consensus_state(state)})


def test_published_message_is_proven_and_a_deep_reorganisation_freezes(node):
    node.request("generate", MATURE)
    trusted = followed(node).tip
    ((_, (funding,)),) = blocks_of(node, 1, 1)
    assert funding.outputs[0].script == PUBLISHER
    unsigned = transaction(
        [spending(funding.txid)],
        [
            TransactionOutput(SUBSIDY_SAT - 10_000, PUBLISHER),
            TransactionOutput(0, encode_message(message_for(KEY, VALUE))),
        ],
    )
    txid = node.request("sendrawtransaction", signed(unsigned, SUBSIDY_SAT).hex())
    assert txid == display(unsigned.txid)
    node.request("generate", DEPTH + 1)
    published, tip = trusted.height + 1, trusted.height + 1 + DEPTH
    blocks = blocks_of(node, published, tip)
    _, transactions = blocks[0]
    txids = [tx.txid for tx in transactions]
    assert txids[1] == unsigned.txid
    believed = published + 1
    client = BitcoinClient()
    state, states = client_at(trusted)
    update = Header(Height(0, trusted.height), Height(0, believed), tuple(header for header, _ in blocks))
    verdict = client.verify_header(state, states, encode_header_message(update), now_ns())
    assert isinstance(verdict, Updated)
    proof = MembershipProof(
        headers=tuple(header for header, _ in blocks[:2]),
        transaction=transactions[1],
        branch=merkle_branch(txids, 1),
        output_index=1,
        input_index=0,
        funding=funding,
        coinbase=transactions[0],
        coinbase_siblings=merkle_branch(txids, 0).siblings,
    )
    encoded = encode_membership_proof(proof)
    names = {
        "rpc": node.request,
        "network": Network.REGTEST,
        "trusted": trusted.height,
        "depth": DEPTH,
        "publisher_script": PUBLISHER,
        "published": published,
        "funding_txid": display(funding.txid),
        "key": KEY,
        "value": VALUE,
    }
    exec(page_text(), names)
    judged({**names, "now_ns": now_ns()})
    assert (
        message_proof(proof.headers, node.block(display(blocks[0][0].block_hash)), KEY, VALUE, funding.serialized)
        == encoded
    )
    client.verify_membership(verdict.client_state, verdict.consensus_state, encoded, (KEY,), VALUE)
    with pytest.raises(PredicateFailed):
        client.verify_membership(verdict.client_state, verdict.consensus_state, encoded, (KEY,), VALUE[::-1])

    states = states.with_state(verdict.height, verdict.consensus_state)
    fork: list[Block] = []
    parent = trusted
    for _ in range(DEPTH + 2):
        fork.append(child_of(parent, time_s=parent.time_s + 1, salt=7))
        parent = fork[-1].state
        assert node.submit(raw_block(fork[-1])) is None
    assert best(node) == display(parent.block_hash), "the node reorganised"
    heavier = replace(update, headers=tuple(block.header for block in fork))
    outcome = client.verify_header(verdict.client_state, states, encode_header_message(heavier), now_ns())
    assert isinstance(outcome, Misbehaved)
