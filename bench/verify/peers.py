"""Verifiers beside other projects', on the same bytes in the same run: @lodestar/light-client, @confio/ics23, @ethereumjs/mpt, trie.

Both sides go from bytes to verdict. Rates are calls a second of processor time, the best of some rounds: other processes on the
machine then hardly show. Peers run in one node process with the packages that `tests/nodes/provision.py` pins.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import rlp
from trie import HexaryTrie

from bench.verify.ethereum import START, forget_committees, simulated_start
from bench.verify.proofs import batches_of
from bench.verify.rows import rate_per_s
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ethereum import MAINNET_PRESET, EthereumClient, encode_header_message, ssz
from hutong.light_clients.interface import Updated
from hutong.light_clients.proofs import ics23, mpt
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon, network_of, trusting
from tests.light_clients.mutation.formats import nodes_of
from tests.light_clients.proofs.reference_trees import TREES, items
from tests.nodes.javascript_peers import (
    JavascriptPeers,
    ics23_batch_question,
    ics23_question,
    mpt_question,
    running_peers,
    start_question,
    update_question,
)
from tests.nodes.provision import JAVASCRIPT_PEERS

LEAVES = 4096
TURNS = 5


@dataclass(frozen=True, slots=True)
class PeerRow:
    """`peers_per_s` by name and version."""

    name: str
    rate_per_s: float
    peers_per_s: Mapping[str, float]


def _side_by_side(
    peers: JavascriptPeers, ours: Callable[[], object], *questions: Mapping[str, Any]
) -> tuple[float, list[float]]:
    """Best rates of ours and of each question, in turns, so that all meet the same busy and quiet moments."""
    best, theirs = 0.0, [0.0] * len(questions)
    for _ in range(TURNS):
        best = max(best, rate_per_s(ours, rounds=1))
        for at, question in enumerate(questions):
            theirs[at] = max(theirs[at], peers.rate_per_s(dict(question), rounds=1))
    return best, theirs


def _npm(package: str) -> str:
    return f"{package} {JAVASCRIPT_PEERS[package]}"


def _ics23_rows(peers: JavascriptPeers) -> Iterator[PeerRow]:
    for name in ("iavl", "tendermint"):
        tree = TREES[name](items(LEAVES))
        key, absent = tree.keys[LEAVES // 3], b"key/absent"
        existence, gap = tree.existence(key), tree.non_existence(absent)
        for what, proof, of, value in (
            ("existence", existence, key, tree.items[key]),
            ("absence", gap, absent, None),
        ):
            data = ics23.encode_merkle_proof((proof,))
            ours = partial(ics23.verify_chained, (tree.spec,), data, tree.root, (of,), value)
            rate, (theirs,) = _side_by_side(peers, ours, ics23_question(name, proof, tree.root, of, value))
            steps = len(existence.path)
            yield PeerRow(f"ICS-23 {name} {what}, {steps} steps", rate, {_npm("@confio/ics23"): theirs})
        for row in batches_of(tree):
            question = ics23_batch_question(name, row.proof, tree.root, row.items)
            rate, (theirs,) = _side_by_side(peers, row.verify, question)
            count = len(row.items)
            yield PeerRow(f"ICS-23 {name} {row.name}", count * rate, {_npm("@confio/ics23"): count * theirs})


def _mpt_row(peers: JavascriptPeers) -> PeerRow:
    storage, state = HexaryTrie({}), HexaryTrie({})
    for slot in range(LEAVES):
        storage.set(keccak256(slot.to_bytes(32, "big")), rlp.encode(keccak256(b"%d" % slot)))
    for number in range(LEAVES):
        account = [number, 10**18, storage.root_hash, keccak256(b"code")]
        state.set(keccak256(number.to_bytes(20, "big")), rlp.encode(account))
    address, slot = (1234).to_bytes(20, "big"), (567).to_bytes(32, "big")
    account_nodes, storage_nodes = nodes_of(state, keccak256(address)), nodes_of(storage, keccak256(slot))
    root = state.root_hash

    def ours() -> None:
        account = mpt.verify_account(root, address, account_nodes)
        if account is None or mpt.verify_storage(account.storage_root, slot, storage_nodes) is None:
            raise AssertionError("the account and its slot are there")

    def library() -> None:
        nodes = [rlp.decode(node) for node in account_nodes]
        account = rlp.decode(HexaryTrie.get_from_proof(root, keccak256(address), nodes))
        nodes = [rlp.decode(node) for node in storage_nodes]
        if not HexaryTrie.get_from_proof(account[2], keccak256(slot), nodes):
            raise AssertionError("the slot is there")

    question = mpt_question(root, [(address, account_nodes), (slot, storage_nodes)])
    rate, (theirs,) = _side_by_side(peers, ours, question)
    return PeerRow(
        f"EIP-1186 account and slot, {len(account_nodes) + len(storage_nodes)} nodes",
        rate,
        {_npm("@ethereumjs/mpt"): theirs, f"trie {version('trie')}": rate_per_s(library)},
    )


def _update_rows(peers: JavascriptPeers) -> Iterator[PeerRow]:
    chain = SimulatedBeacon(network_of(preset=MAINNET_PRESET))
    chain.advance()
    library = peers.enter(chain.network)
    client, now_ns = EthereumClient(), chain.now_ns
    state, states = trusting(chain, FIRST_SLOT)
    header = chain.header(FIRST_SLOT + 1, with_committee=True)
    message = encode_header_message(header)
    fork = chain.network.fork_at(header.update.attested_slot)
    update = ssz.encode_update(header.update, fork, MAINNET_PRESET)
    committee = ssz.encode_sync_committee(header.sync_committee)

    def cached() -> None:
        if type(client.verify_header(state, states, message, now_ns)) is not Updated:
            raise AssertionError("an honest update was not accepted")

    def uncached() -> None:
        forget_committees()
        cached()

    peer = f"{_npm('@lodestar/light-client')} ({library})"
    question = {**update_question(fork, update, committee), "kind": "quickUpdate"}
    rate, theirs = _side_by_side(peers, cached, question, {**question, "decoded": True})
    named = dict(zip((peer, f"{peer}, update decoded before"), theirs, strict=True))
    yield PeerRow("sync-committee update, 512 keys, committee cached", rate, named)
    anew = {**question, "cached": False}
    rate, theirs = _side_by_side(peers, uncached, {**anew, "validate": True}, anew)
    named = dict(zip((f"{peer}, keys in their subgroup", f"{peer}, keys not checked"), theirs, strict=True))
    yield PeerRow("sync-committee update, 512 keys, committee decoded anew", rate, named)


def _start_row(peers: JavascriptPeers) -> PeerRow:
    """Ours judges branches, finality and the bootstrap as well, which the package's function leaves to its caller."""
    start = simulated_start()
    library = peers.enter(start.chain.network)
    forks = {start.chain.network.fork_at(update.attested_slot) for update in start.updates}
    (fork,) = {start.chain.network.fork_at(start.bootstrap.header.beacon.slot), *forks}
    bootstrap = ssz.encode_bootstrap(start.bootstrap, fork)
    updates = [ssz.encode_update(update, fork, MAINNET_PRESET) for update in start.updates]

    def ours() -> None:
        read = [ssz.decode_update(update, fork, MAINNET_PRESET) for update in updates]
        start.follow(ssz.decode_bootstrap(bootstrap, fork, MAINNET_PRESET), read)

    asked = [start_question(fork, bootstrap, updates, validate=validate) for validate in (True, False)]
    rate, theirs = _side_by_side(peers, ours, *asked)
    peer = f"{_npm('@lodestar/light-client')} ({library})"
    return PeerRow(
        START, rate, dict(zip((f"{peer}, keys in their subgroup", f"{peer}, keys not checked"), theirs, strict=True))
    )


def node_version() -> str:
    """Of the node that runs the peers."""
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def run() -> Iterator[PeerRow]:
    """Needs node; the packages are installed where they are missing."""
    with running_peers("mainnet") as peers:
        yield from _update_rows(peers)
        yield _start_row(peers)
        yield from _ics23_rows(peers)
        yield _mpt_row(peers)
