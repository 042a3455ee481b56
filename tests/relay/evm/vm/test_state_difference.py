"""The difference of two states is what two whole counts differ by."""

from collections import Counter

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from hutong.relay.evm.vm.accounts import EMPTY_CODE_HASH, EMPTY_STATE_ROOT
from hutong.relay.evm.vm.state_difference import places_between

# Few keys, whose hashes share up to three nibbles, so that extensions are made, cut and joined.
KEYS = sorted((bytes([a, b]) for a in range(64) for b in range(2)), key=lambda key: keccak(key))[:24]
ACCOUNTS = st.dictionaries(
    st.sampled_from(KEYS),
    st.tuples(st.dictionaries(st.sampled_from(KEYS), st.integers(1, 3), max_size=8), st.integers(0, 2)),
    max_size=6,
)


def state(database: dict[bytes, bytes], accounts) -> bytes:
    trie = HexaryTrie(database)
    for key, (slots, code) in accounts.items():
        storage = HexaryTrie(database)
        for slot, value in slots.items():
            # Short values make embedded nodes, long ones nodes of their own.
            storage[keccak(slot)] = rlp.encode(value if value < 3 else 2**255)
        code_hash = EMPTY_CODE_HASH
        if code:
            code_hash = keccak(bytes([code]))
            database[code_hash] = bytes([code])
        trie[keccak(key)] = rlp.encode([0, 0, storage.root_hash, code_hash])
    return trie.root_hash


@pytest.mark.long
@settings(max_examples=120, deadline=None)
@given(ACCOUNTS, ACCOUNTS)
def test_places_between_two_states_are_what_their_whole_counts_differ_by(one, other):
    database: dict[bytes, bytes] = {}
    old, new = state(database, one), state(database, other)
    whole = places_between(EMPTY_STATE_ROOT, new, database.__getitem__)
    whole.subtract(places_between(EMPTY_STATE_ROOT, old, database.__getitem__))
    got = places_between(old, new, database.__getitem__)
    assert {key: value for key, value in got.items() if value} == {key: value for key, value in whole.items() if value}


@settings(max_examples=40, deadline=None)
@given(ACCOUNTS)
def test_a_whole_count_has_every_node_that_a_state_needs(accounts):
    database: dict[bytes, bytes] = {}
    root = state(database, accounts)
    counted = places_between(EMPTY_STATE_ROOT, root, database.__getitem__)
    assert all(value > 0 for value in counted.values())
    # A state of only the counted rows answers everything.
    kept = {key: database[key] for key in counted}
    trie = HexaryTrie(kept, root)
    for key, (slots, code) in accounts.items():
        account = rlp.decode(trie[keccak(key)])
        storage = HexaryTrie(kept, account[2])
        assert all(storage[keccak(slot)] for slot in slots)
        assert account[3] == EMPTY_CODE_HASH or kept[account[3]] == bytes([code])


def test_a_split_at_the_top_of_a_big_trie_costs_its_path_only():
    # All keys but one begin with one nibble: without that one the root is an extension above everything.
    database: dict[bytes, bytes] = {}
    trie = HexaryTrie(database)
    names = [name for name in (number.to_bytes(4, "big") for number in range(8_000)) if keccak(name)[0] >> 4 == 7]
    for name in names:
        trie[keccak(name)] = rlp.encode(2**255)
    one = HexaryTrie(database)
    one[keccak(b"x")] = rlp.encode([0, 0, trie.root_hash, EMPTY_CODE_HASH])
    other_key = next(
        number.to_bytes(4, "big") for number in range(9_000, 9_999) if keccak(number.to_bytes(4, "big"))[0] >> 4 == 2
    )
    trie[keccak(other_key)] = rlp.encode(2**255)
    two = HexaryTrie(database)
    two[keccak(b"x")] = rlp.encode([0, 0, trie.root_hash, EMPTY_CODE_HASH])
    read: Counter[bytes] = Counter()

    def node_of(record_hash):
        read[record_hash] += 1
        return database[record_hash]

    assert len(names) > 400
    places_between(one.root_hash, two.root_hash, node_of)
    places_between(two.root_hash, one.root_hash, node_of)
    assert sum(read.values()) < 20
