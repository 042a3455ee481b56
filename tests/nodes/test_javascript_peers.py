"""What we accept, another project's verifier accepts, and every honest proof is accepted by both.

Inputs are those of the mutation engine. A peer that is laxer is counted and no fault of ours; one that is stricter fails the test.
"""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ethereum import (
    MINIMAL_PRESET,
    Fork,
    decode_header_message,
    encode_header_message,
    ssz,
)
from hutong.light_clients.ibc.evm_router import StorageProof, decode_storage_proof, encode_storage_proof
from hutong.light_clients.interface import MalformedInput, Updated, VerificationError
from hutong.light_clients.proofs import ics23, mpt
from hutong.light_clients.proofs.mpt.account import decode_word
from hutong.light_clients.protobuf import ethereum_pb2, evm_router_pb2, ics23_pb2
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, network_of
from tests.light_clients.ethereum.verifying import Verifier, chain_of
from tests.light_clients.mutation.formats import nodes_of, storage_tries
from tests.light_clients.mutation.forms import Protobuf, mutated
from tests.light_clients.proofs.reference_trees import TREES, items
from tests.nodes.javascript_peers import Refused, ics23_question, mpt_question, running_peers, update_question

pytestmark = pytest.mark.nodes

SEED = 20261126
MUTATIONS = 2_000
UPDATES = 1_000


@pytest.fixture(scope="module")
def peers():
    with running_peers("minimal") as running:
        yield running


def shown(capsys, name, outcomes):
    with capsys.disabled():
        print(f"\n{name}: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))


@pytest.mark.parametrize("name", TREES)
def test_ics23_beside_confio(peers, capsys, name):
    tree = TREES[name](items(40))
    spec, random, outcomes = tree.spec, Random(SEED), Counter()
    claims = [(key, tree.items[key], tree.existence(key)) for key in (tree.keys[0], tree.keys[13], tree.keys[-1])]
    if name != "smt":  # the npm version compares keys of every tree unhashed
        claims += [(key, None, tree.non_existence(key)) for key in (b"a", b"key/017", b"z")]
    encoded = [ics23.encode_commitment_proof(proof) for _, _, proof in claims]
    form = Protobuf(ics23_pb2.CommitmentProof)
    for key, value, proof in claims:
        assert peers.ask(**ics23_question(name, proof, tree.root, key, value)) is True
    for number in range(MUTATIONS):
        at = number % len(claims)
        key, value, _ = claims[at]
        data = mutated(form, encoded[at], random.choice(encoded), random)
        ours = ics23_accepts(spec, data, tree.root, key, value)
        held = None if value is None else value.hex()
        theirs = peers.ask(kind="ics23", spec=name, root=tree.root.hex(), key=key.hex(), value=held, proof=data.hex())
        outcomes[f"{'accepted' if ours else 'refused'} by us, {'accepted' if theirs is True else 'refused'} by it"] += 1
        assert not ours or theirs is True, (number, data.hex(), theirs)
    shown(capsys, f"ics23 {name}", outcomes)
    assert outcomes["accepted by us, accepted by it"] and outcomes["refused by us, refused by it"]


def ics23_accepts(spec, data, root, key, value):
    try:
        proof = ics23.decode_commitment_proof(data)
        if value is None:
            if not isinstance(proof, ics23.NonExistenceProof):
                return False
            ics23.verify_non_membership(spec, proof, root, key)
        else:
            if not isinstance(proof, ics23.ExistenceProof):
                return False
            ics23.verify_membership(spec, proof, root, key, value)
    except VerificationError:
        return False
    return True


def test_mpt_beside_ethereumjs(peers, capsys):
    tree, words = storage_tries()
    keys = [slot.to_bytes(32, "big") for slot in (0, 7, 199, 777, 778)]
    encoded = [encode_storage_proof(StorageProof(nodes_of(tree, keccak256(key)))) for key in keys]
    form, random, outcomes = Protobuf(evm_router_pb2.StorageProof), Random(SEED), Counter()
    for number in range(MUTATIONS):
        at = number % len(keys)
        data = encoded[at] if number < len(keys) else mutated(form, encoded[at], random.choice(encoded), random)
        try:
            nodes = decode_storage_proof(data).nodes
        except MalformedInput:
            outcomes["malformed"] += 1
            continue
        theirs = peers.ask(**mpt_question(tree.root_hash, [(keys[at], nodes)]))
        try:
            ours = mpt.verify_storage(tree.root_hash, keys[at], nodes)
        except VerificationError:
            assert number >= len(keys)
            outcomes[f"refused by us, {'refused' if isinstance(theirs, Refused) else 'accepted'} by it"] += 1
            continue
        assert ours == words.get(int.from_bytes(keys[at], "big"))
        outcomes["accepted by us, accepted by it"] += 1
        assert not isinstance(theirs, Refused), (number, data.hex(), theirs)
        assert (None if theirs is None else decode_word(bytes.fromhex(theirs))) == ours
    shown(capsys, "mpt", outcomes)
    assert outcomes["accepted by us, accepted by it"] > len(keys) and outcomes["refused by us, refused by it"]


@pytest.mark.parametrize("fork", [Fork.DENEB, Fork.ELECTRA])
def test_sync_committee_updates_beside_lodestar(peers, capsys, fork):
    chain = chain_of(network=network_of(fork))
    peers.enter(chain.network)
    verifier, random, outcomes = Verifier(chain), Random(SEED), Counter()
    honest = [
        chain.header(FIRST_SLOT + 1, with_committee=True, members=range(22)),
        chain.header(FIRST_SLOT + 1, members=range(32)),
    ]
    committee = ssz.encode_sync_committee(honest[0].sync_committee)
    encoded = [encode_header_message(header) for header in honest]
    form = Protobuf(ethereum_pb2.Header)
    for number in range(UPDATES):
        at = number % len(encoded)
        data = encoded[at] if number < len(encoded) else mutated(form, encoded[at], random.choice(encoded), random)
        try:
            header = decode_header_message(data, MINIMAL_PRESET)
        except VerificationError:
            outcomes["malformed"] += 1
            continue
        if header.fork is not fork or header.update.finalized_header is None:
            outcomes["of another fork"] += 1
            continue
        update = ssz.encode_update(header.update, fork, MINIMAL_PRESET)
        theirs = peers.ask(**update_question(fork, update, committee))
        try:
            ours = isinstance(verifier.judge(data), Updated)
        except VerificationError:
            ours = False
        assert ours or number >= len(encoded)
        outcomes[f"{'accepted' if ours else 'refused'} by us, {'accepted' if theirs is True else 'refused'} by it"] += 1
        assert not ours or theirs is True, (number, data.hex(), theirs)
    shown(capsys, f"sync committee, {fork.name}", outcomes)
    assert outcomes["accepted by us, accepted by it"] > 1 and outcomes["refused by us, refused by it"]


def test_the_peers_refuse_what_is_false(peers):
    """An answer that were always yes would show nothing."""
    tree = TREES["iavl"](items(8))
    key = tree.keys[3]
    assert peers.ask(**ics23_question("iavl", tree.existence(key), tree.root, key, b"another value")) is False
    trie, _ = storage_tries()
    slot = (7).to_bytes(32, "big")
    nodes = nodes_of(trie, keccak256(slot))
    broken = (*nodes[:-1], nodes[-1][:-1] + bytes([nodes[-1][-1] ^ 1]))
    assert isinstance(peers.ask(**mpt_question(trie.root_hash, [(slot, broken)])), Refused)
    chain = chain_of(network=network_of(Fork.ELECTRA))
    peers.enter(chain.network)
    header = chain.header(FIRST_SLOT + 1, with_committee=True)
    committee = ssz.encode_sync_committee(header.sync_committee)
    signed = header.update.sync_aggregate
    stolen = replace(header.update, sync_aggregate=replace(signed, bits=bytes(3) + signed.bits[3:]))
    for update, accepted in ((header.update, True), (stolen, False)):
        data = ssz.encode_update(update, Fork.ELECTRA, MINIMAL_PRESET)
        answer = peers.ask(**update_question(Fork.ELECTRA, data, committee))
        assert (answer is True) == accepted
