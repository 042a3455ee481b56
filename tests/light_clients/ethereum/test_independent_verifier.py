"""What we accept, a second verifier accepts: remerkleable's containers and py_ecc's pairings under the specification's formulas.

Mutations are structure-aware: a decoded update is changed in one place and encoded again, so that it reaches the rules.
"""

from collections import Counter
from dataclasses import fields, replace
from functools import cache
from hashlib import sha256
from random import Random

import pytest
from py_ecc.bls import G2ProofOfPossession
from remerkleable.byte_arrays import Bytes4, Bytes32
from remerkleable.complex import Container

from hutong.light_clients.ethereum import MINIMAL_PRESET, Fork, Update, encode_header_message, ssz
from hutong.light_clients.interface import PredicateFailed, Updated, VerificationError
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon, network_of
from tests.light_clients.ethereum.test_ssz_containers import Committee, oracle_types
from tests.light_clients.ethereum.verifying import Verifier, chain_of

MUTATIONS = 300
SEED = 20261126
FINALITY_GINDEX, COMMITTEE_GINDEX = 169, 87


class ForkData(Container):
    current_version: Bytes4
    genesis_validators_root: Bytes32


class SigningData(Container):
    object_root: Bytes32
    domain: Bytes32


@cache
def py_ecc_accepts(keys: tuple[bytes, ...], message: bytes, signature: bytes) -> bool:
    return G2ProofOfPossession.FastAggregateVerify(list(keys), message, signature)


def branch_leads(leaf: bytes, branch: list, gindex: int, root: bytes) -> bool:
    depth = gindex.bit_length() - 1
    extra = len(branch) - depth
    if any(bytes(node) != bytes(32) for node in branch[:extra]):
        return False
    value = leaf
    for level, node in enumerate(branch[extra:]):
        pair = bytes(node) + value if gindex >> level & 1 else value + bytes(node)
        value = sha256(pair).digest()
    return value == root


def header_valid(header) -> bool:
    root = bytes(header.execution.hash_tree_root())
    return branch_leads(root, list(header.execution_branch), 25, bytes(header.beacon.body_root))


def independent(update: Update, fork: Fork, committee: Committee, chain: SimulatedBeacon, current_slot: int) -> bool:
    """validate_light_client_update of the specification from the chain's committee, with finality and two thirds."""
    data = ssz.encode_update(update, fork, MINIMAL_PRESET)
    read = oracle_types(fork)["update"].decode_bytes(data)
    network = chain.network
    attested, finalized = read.attested_header, read.finalized_header
    bits = [bool(bit) for bit in read.sync_aggregate.sync_committee_bits]
    if 3 * sum(bits) < 2 * len(bits) or not header_valid(attested) or not header_valid(finalized):
        return False
    signature_slot = int(read.signature_slot)
    if not current_slot >= signature_slot > int(attested.beacon.slot) >= int(finalized.beacon.slot):
        return False
    root = bytes(attested.beacon.state_root)
    finalized_root = bytes(finalized.beacon.hash_tree_root())
    if not branch_leads(finalized_root, list(read.finality_branch), FINALITY_GINDEX, root):
        return False
    if any(any(bytes(node)) for node in read.next_sync_committee_branch):
        next_root = bytes(read.next_sync_committee.hash_tree_root())
        if not branch_leads(next_root, list(read.next_sync_committee_branch), COMMITTEE_GINDEX, root):
            return False
    version = network.forks[-1].version
    fork_root = ForkData(current_version=version, genesis_validators_root=network.genesis_validators_root)
    domain = bytes.fromhex("07000000") + bytes(fork_root.hash_tree_root())[:28]
    message = SigningData(object_root=attested.beacon.hash_tree_root(), domain=domain).hash_tree_root()
    keys = tuple(bytes(key) for key, bit in zip(committee.pubkeys, bits, strict=True) if bit)
    return py_ecc_accepts(keys, bytes(message), bytes(read.sync_aggregate.sync_committee_signature))


def flipped(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def mutated(value, random: Random):
    """One leaf of a value exchanged: a bit of bytes, a number by a little, a part of a tuple."""
    if isinstance(value, bytes):
        return flipped(value, random) if value else b"\1"
    if isinstance(value, int):
        return max(0, value + random.choice((-2, -1, 1, 2, 64)))
    if isinstance(value, tuple):
        at = random.randrange(len(value))
        return (*value[:at], mutated(value[at], random), *value[at + 1 :])
    names = [field.name for field in fields(value) if getattr(value, field.name) not in (None, ())]
    name = random.choice(names)
    return replace(value, **{name: mutated(getattr(value, name), random)})


@pytest.mark.long
def test_what_we_accept_a_second_verifier_accepts():
    fork = Fork.ELECTRA
    chain = chain_of(network=network_of(fork))
    verifier, random = Verifier(chain), Random(SEED)
    committee = Committee.decode_bytes(ssz.encode_sync_committee(chain.committee(2)))
    current_slot = chain.network.slot_before_ns(chain.now_ns + 15 * 10**9)
    honest = chain.header(FIRST_SLOT + 1, with_committee=True, members=range(22))
    assert isinstance(verifier.judge(honest), Updated)
    assert independent(honest.update, fork, committee, chain, current_slot)
    outcomes: Counter[str] = Counter()
    for _ in range(MUTATIONS):
        header = replace(honest, update=mutated(honest.update, random))
        try:
            verdict = verifier.judge(encode_header_message(header))
        except PredicateFailed as error:
            outcomes[error.predicate] += 1
        except VerificationError:
            outcomes["malformed"] += 1
        else:
            outcomes["accepted"] += 1
            assert isinstance(verdict, Updated)
            assert independent(header.update, fork, committee, chain, current_slot)
    assert outcomes.total() == MUTATIONS
    assert 2 * outcomes["malformed"] < MUTATIONS, outcomes
    assert outcomes["accepted"], outcomes  # a later signature slot is not signed, and means the same
    assert len(outcomes) >= 8, outcomes
