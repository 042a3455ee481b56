"""Attacks on Merkle-Patricia proofs (checklist B30 to B40), each beside the proof that is accepted.

Tries are built by the `trie` library; forged nodes are put under roots of their own, so that the grammar refuses them.
"""

from dataclasses import replace

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError, audit
from hutong.light_clients.proofs import mpt
from hutong.light_clients.proofs.mpt import trie as walker
from hutong.light_clients.proofs.mpt.account import EMPTY_CODE_HASH

ROUTER = bytes(range(20))
ZERO = bytes(32)


def built(content):
    """A trie of the library over plain bytes."""
    tree = HexaryTrie({})
    for key, value in content.items():
        tree.set(key, value)
    return tree


def proof_of(tree, key):
    """The proof as nodes serve it: without nodes that stand inside their parent."""
    nodes = [rlp.encode(node) for node in tree.get_proof(key)]
    return [node for index, node in enumerate(nodes) if len(node) >= 32 or index == 0]


def word(number):
    return number.to_bytes(32, "big")


def storage_trie(slots):
    """slot number → word number."""
    return built(
        {
            keccak256(word(slot)): rlp.encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))
            for slot, value in slots.items()
        }
    )


STORAGE = storage_trie({slot: slot * slot + 1 for slot in range(200)})


def account_rlp(nonce=1, balance=10**18, storage_root=STORAGE.root_hash, code_hash=keccak256(b"code")):
    return rlp.encode([nonce, balance, storage_root, code_hash])


STATE = built(
    {keccak256(bytes([i]) * 20): account_rlp(nonce=i, storage_root=mpt.EMPTY_TRIE_ROOT) for i in range(1, 120)}
    | {keccak256(ROUTER): account_rlp()}
)
ROUTER_PROOF = proof_of(STATE, keccak256(ROUTER))


def storage_proof(slot):
    return proof_of(STORAGE, keccak256(word(slot)))


def accept():
    account = mpt.verify_account(STATE.root_hash, ROUTER, ROUTER_PROOF)
    assert account == mpt.Account(1, 10**18, STORAGE.root_hash, keccak256(b"code"))
    assert mpt.verify_storage(account.storage_root, word(7), storage_proof(7)) == word(50)
    assert mpt.verify_storage(account.storage_root, word(777), storage_proof(777)) is None


def refuse(predicate, root, key, nodes, **options):
    with pytest.raises(PredicateFailed) as caught:
        mpt.walk(root, key, nodes, **options)
    assert caught.value.predicate == predicate


def nibble_path(nibbles, *, leaf, odd=None, padding=0):
    """Hex-prefix encoding of nibbles, with the flag and padding free to forge."""
    odd = len(nibbles) % 2 if odd is None else odd
    flag = 2 * leaf + odd
    body = ([flag] if odd else [flag, padding]) + list(nibbles)
    return bytes(body[i] << 4 | body[i + 1] for i in range(0, len(body), 2))


KEY = keccak256(b"some key")
KEY_NIBBLES = walker.nibbles_of(KEY)
VALUE = b"value that is long enough to be hashed, not embedded"


def leaf_node(nibbles, value=VALUE, **forged):
    return rlp.encode([nibble_path(nibbles, leaf=True, **forged), value])


def branch_node(children, value=b""):
    return rlp.encode([children.get(nibble, b"") for nibble in range(16)] + [value])


def branch_over(child_node, *, sibling=b"\x11" * 32, value=b"", items=17):
    """A branch whose child for KEY's first nibble is `child_node`'s hash, and one sibling."""
    first = KEY_NIBBLES[0]
    children = [b""] * 16
    children[first] = keccak256(child_node)
    children[(first + 1) % 16] = sibling
    return rlp.encode((children + [value] + [b""] * 5)[:items])


def test_a_leaf_under_a_branch_is_accepted():
    leaf = leaf_node(KEY_NIBBLES[1:])
    branch = branch_over(leaf)
    assert mpt.walk(keccak256(branch), KEY, [branch, leaf]) == VALUE
    assert mpt.walk(keccak256(leaf_node(KEY_NIBBLES)), KEY, [leaf_node(KEY_NIBBLES)]) == VALUE


def test_attack_B30_embedded_child_as_hash_and_reverse():
    accept()
    # Keys of two bytes that share one: small leaves that stand inside their branch.
    tree = built({b"\x11\x10": b"a", b"\x11\x20": b"b", b"\x11\x21": b"c"})
    honest = proof_of(tree, b"\x11\x21")
    assert mpt.walk(tree.root_hash, b"\x11\x21", honest) == b"c"
    with_embedded = [rlp.encode(node) for node in tree.get_proof(b"\x11\x21")]
    assert len(with_embedded) > len(honest)
    refuse("no_unused_nodes", tree.root_hash, b"\x11\x21", with_embedded)
    # A short leaf given by its hash.
    small = rlp.encode([nibble_path(walker.nibbles_of(b"\x12")[1:], leaf=True), b"v"])
    assert len(small) < 32
    branch = branch_node({1: keccak256(small), 2: b"\x22" * 32})
    refuse("node_is_well_formed", keccak256(branch), b"\x12", [branch, small])
    # A long leaf inside its parent.
    long = [nibble_path(KEY_NIBBLES[1:], leaf=True), VALUE]
    branch = rlp.encode([long if i == KEY_NIBBLES[0] else b"\x11" * 32 for i in range(16)] + [b""])
    refuse("node_is_well_formed", keccak256(branch), KEY, [branch])


@pytest.mark.parametrize("reference", [b"\x11" * 31, b"\x11" * 33, b"\x05", []])
def test_attack_B30_reference_of_another_length(reference):
    accept()
    children = {KEY_NIBBLES[0]: b"\x22" * 32, (KEY_NIBBLES[0] + 1) % 16: reference}
    branch = branch_node(children)
    refuse("node_is_well_formed", keccak256(branch), KEY, [branch])


def test_attack_B31_extension_with_an_empty_path():
    leaf = leaf_node(KEY_NIBBLES[2:])
    branch = branch_node({KEY_NIBBLES[1]: keccak256(leaf), (KEY_NIBBLES[1] + 1) % 16: b"\x11" * 32})
    honest = rlp.encode([nibble_path(KEY_NIBBLES[:1], leaf=False), keccak256(branch)])
    assert mpt.walk(keccak256(honest), KEY, [honest, branch, leaf]) == VALUE
    empty = rlp.encode([nibble_path([], leaf=False), keccak256(honest)])
    refuse("node_is_well_formed", keccak256(empty), KEY, [empty, honest, branch, leaf])
    missing = rlp.encode([b"", keccak256(honest)])
    refuse("node_is_well_formed", keccak256(missing), KEY, [missing, honest, branch, leaf])


def test_attack_B31_flags_and_padding_of_a_path():
    honest = leaf_node(KEY_NIBBLES)
    assert mpt.walk(keccak256(honest), KEY, [honest]) == VALUE
    padded = leaf_node(KEY_NIBBLES, padding=5)
    refuse("node_is_well_formed", keccak256(padded), KEY, [padded])
    for flag in range(4, 16):
        raw = rlp.encode([bytes([flag << 4]) + KEY, VALUE])
        refuse("node_is_well_formed", keccak256(raw), KEY, [raw])
    # An odd flag over an even path shifts it by the padding nibble.
    odd = rlp.encode([bytes([0x30]) + KEY, VALUE])
    refuse("node_is_well_formed", keccak256(odd), KEY, [odd])
    # A leaf flagged as an extension leads nowhere.
    extension = rlp.encode([nibble_path(KEY_NIBBLES, leaf=False), b"\x11" * 32])
    refuse("node_is_well_formed", keccak256(extension), KEY, [extension])


@pytest.mark.parametrize("items", [0, 1, 3, 16, 18])
def test_attack_B31_nodes_of_other_lengths(items):
    leaf = leaf_node(KEY_NIBBLES[1:])
    honest = branch_over(leaf)
    assert mpt.walk(keccak256(honest), KEY, [honest, leaf]) == VALUE
    forged = branch_over(leaf, items=items)
    refuse("node_is_well_formed", keccak256(forged), KEY, [forged, leaf])


def test_attack_B31_extension_to_a_leaf_and_branch_of_one():
    leaf = leaf_node(KEY_NIBBLES[1:])
    extension = rlp.encode([nibble_path(KEY_NIBBLES[:1], leaf=False), keccak256(leaf)])
    refuse("node_is_well_formed", keccak256(extension), KEY, [extension, leaf])
    lonely = branch_over(leaf, sibling=b"")
    refuse("node_is_well_formed", keccak256(lonely), KEY, [lonely, leaf])
    for node in (rlp.encode(b"\x11" * 40), rlp.encode([nibble_path(KEY_NIBBLES, leaf=True), [VALUE]])):
        refuse("node_is_well_formed", keccak256(node), KEY, [node])


def test_attack_B32_leaf_path_prefix_of_or_longer_than_the_key():
    honest = leaf_node(KEY_NIBBLES)
    assert mpt.walk(keccak256(honest), KEY, [honest]) == VALUE
    for nibbles in (KEY_NIBBLES[:-2], KEY_NIBBLES + b"\1\2", b""):
        forged = leaf_node(nibbles)
        refuse("node_is_well_formed", keccak256(forged), KEY, [forged])
        assert mpt.walk(keccak256(forged), KEY, [forged], fixed_length_keys=False) is None


def test_attack_B32_a_divergent_path_is_absence_not_inclusion():
    diverging = KEY_NIBBLES[:-1] + bytes([KEY_NIBBLES[-1] ^ 1])
    leaf = leaf_node(diverging)
    assert mpt.walk(keccak256(leaf), KEY, [leaf]) is None
    extension = rlp.encode([nibble_path(diverging[-4:], leaf=False), b"\x11" * 32])
    assert mpt.walk(keccak256(extension), KEY, [extension]) is None


def test_attack_B33_value_in_a_branch_for_a_longer_key():
    leaf = leaf_node(KEY_NIBBLES[1:])
    honest = branch_over(leaf)
    assert mpt.walk(keccak256(honest), KEY, [honest, leaf]) == VALUE
    forged = branch_over(leaf, value=b"smuggled")
    refuse("node_is_well_formed", keccak256(forged), KEY, [forged, leaf])
    below = branch_node({1: b"\x11" * 32, 2: b"\x22" * 32}, value=b"smuggled")
    extension = rlp.encode([nibble_path(KEY_NIBBLES, leaf=False), keccak256(below)])
    refuse("node_is_well_formed", keccak256(extension), KEY, [extension, below])
    # Where keys have many lengths, a branch's value is the shorter key's and only its.
    tree = built({b"do": b"verb", b"dog": b"puppy", b"doge": b"coin" * 10})
    for key, value in ((b"do", b"verb"), (b"dog", b"puppy"), (b"doge", b"coin" * 10), (b"d", None), (b"doges", None)):
        assert mpt.walk(tree.root_hash, key, proof_of(tree, key), fixed_length_keys=False) == value


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(account_rlp() + b"\0", id="trailing byte"),
        pytest.param(rlp.encode([b"\0", 1, STORAGE.root_hash, ZERO]), id="nonce with a leading zero"),
        pytest.param(rlp.encode([1, b"\0\1", STORAGE.root_hash, ZERO]), id="balance with a leading zero"),
        pytest.param(rlp.encode([1, b"\1" * 33, STORAGE.root_hash, ZERO]), id="balance above 256 bits"),
        pytest.param(rlp.encode([2**64, 1, STORAGE.root_hash, ZERO]), id="nonce above 64 bits"),
        pytest.param(rlp.encode([1, 1, STORAGE.root_hash[:31], ZERO]), id="root of 31 bytes"),
        pytest.param(rlp.encode([1, 1, STORAGE.root_hash]), id="three fields"),
        pytest.param(rlp.encode([1, 1, STORAGE.root_hash, ZERO, b""]), id="five fields"),
        pytest.param(rlp.encode([[], 1, STORAGE.root_hash, ZERO]), id="list for nonce"),
        pytest.param(rlp.encode(b"account" * 8), id="a string"),
        pytest.param(b"\xff" * 9, id="length of 2^64"),
    ],
)
def test_attack_B34_account_that_is_no_canonical_rlp(raw):
    accept()
    tree = built({keccak256(ROUTER): raw})
    with pytest.raises(MalformedInput):
        mpt.verify_account(tree.root_hash, ROUTER, proof_of(tree, keccak256(ROUTER)))


def test_attack_B35_absence_by_a_proof_that_stops_early():
    accept()
    key = keccak256(word(7))
    whole = storage_proof(7)
    for stop in range(len(whole)):
        refuse("path_is_complete", STORAGE.root_hash, key, whole[:stop])
    absent = storage_proof(777)
    for stop in range(len(absent)):
        refuse("path_is_complete", STORAGE.root_hash, keccak256(word(777)), absent[:stop])


def test_attack_B35_missing_and_reordered_nodes():
    accept()
    whole = ROUTER_PROOF
    key = keccak256(ROUTER)
    for gap in range(len(whole)):
        with pytest.raises(PredicateFailed):
            mpt.walk(STATE.root_hash, key, whole[:gap] + whole[gap + 1 :])
    refuse("node_hash_matches", STATE.root_hash, key, whole[::-1])


def test_attack_B36_the_empty_trie():
    assert mpt.EMPTY_TRIE_ROOT.hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    assert mpt.walk(mpt.EMPTY_TRIE_ROOT, KEY, []) is None
    assert mpt.walk(mpt.EMPTY_TRIE_ROOT, KEY, [b"\x80"]) is None
    for nodes in ([b"\x80", b"\x80"], [leaf_node(KEY_NIBBLES)], [b""]):
        refuse("no_unused_nodes", mpt.EMPTY_TRIE_ROOT, KEY, nodes)
    refuse("path_is_complete", STORAGE.root_hash, KEY, [])


def test_attack_B36_absent_account_empty_storage_and_no_code_are_told_apart():
    accept()
    stranger = b"\xee" * 20
    assert mpt.verify_account(STATE.root_hash, stranger, proof_of(STATE, keccak256(stranger))) is None
    plain = bytes([5]) * 20
    account = mpt.verify_account(STATE.root_hash, plain, proof_of(STATE, keccak256(plain)))
    assert (account.has_storage, account.has_code) == (False, True)
    eoa = replace(account, code_hash=EMPTY_CODE_HASH)
    assert not eoa.has_code
    assert mpt.verify_storage(account.storage_root, word(7), []) is None


def test_attack_B37_proof_of_another_subject():
    accept()
    other = bytes([9]) * 20
    with pytest.raises(PredicateFailed):
        mpt.verify_account(STATE.root_hash, other, ROUTER_PROOF)
    with pytest.raises(PredicateFailed):
        mpt.verify_storage(STORAGE.root_hash, word(8), storage_proof(7))
    with pytest.raises(PredicateFailed):
        mpt.verify_storage(STATE.root_hash, word(7), storage_proof(7))


def test_attack_B37_slot_of_another_key_mapping_or_base():
    key = path_key("client-0", PathKind.COMMITMENT, 1)
    slot = mpt.commitment_slot(key)
    assert slot.hex() == "79a5307f4993e7eb3894d3aafa592f86bb1b605ca1a506e595f1874343b9a987"
    assert mpt.IBC_STORE_SLOT.hex() == "1260944489272988d9df285149b5aa1b0f48f2136d6f416159f840a3e0747600"
    tree = built(
        {keccak256(slot): rlp.encode(b"\x05" * 32)} | {keccak256(word(i)): rlp.encode(b"\x06") for i in range(9)}
    )
    proof = proof_of(tree, keccak256(slot))
    assert mpt.verify_storage(tree.root_hash, slot, proof) == b"\x05" * 32
    others = [
        mpt.commitment_slot(path_key("client-0", PathKind.COMMITMENT, 2)),
        mpt.commitment_slot(path_key("client-0", PathKind.RECEIPT, 1)),
        mpt.commitment_slot(path_key("client-1", PathKind.COMMITMENT, 1)),
        mpt.mapping_slot(keccak256(key), word(0)),
        mpt.mapping_slot(keccak256(key), (int.from_bytes(mpt.IBC_STORE_SLOT, "big") + 1).to_bytes(32, "big")),
        mpt.mapping_slot(key.rjust(32, b"\0"), mpt.IBC_STORE_SLOT),
    ]
    for other in others:
        try:
            assert mpt.verify_storage(tree.root_hash, other, proof) is None
        except PredicateFailed:
            continue


def test_attack_B38_zero_word_as_a_member():
    accept()
    verdicts = audit(mpt.judge_storage, STORAGE.root_hash, word(777), storage_proof(777), ZERO)
    assert [v.held for v in verdicts] == [True, False]
    assert all(v.held for v in audit(mpt.judge_storage, STORAGE.root_hash, word(777), storage_proof(777), None))
    stored_zero = built({keccak256(word(1)): rlp.encode(b""), keccak256(word(2)): rlp.encode(b"\0")})
    for slot in (1, 2):
        with pytest.raises(MalformedInput):
            mpt.verify_storage(stored_zero.root_hash, word(slot), proof_of(stored_zero, keccak256(word(slot))))


@pytest.mark.parametrize("stored", [b"\0\5", b"\5" * 33, b"\0" + b"\5" * 32])
def test_attack_B38_leading_zeros_and_33_bytes(stored):
    tree = built({keccak256(word(1)): rlp.encode(stored), keccak256(word(2)): rlp.encode(b"\5")})
    assert mpt.verify_storage(tree.root_hash, word(2), proof_of(tree, keccak256(word(2)))) == word(5)
    with pytest.raises(MalformedInput):
        mpt.verify_storage(tree.root_hash, word(1), proof_of(tree, keccak256(word(1))))


@pytest.mark.parametrize("claimed", [b"\5", b"\0" * 31 + b"\5\0", bytes(31)])
def test_attack_B38_claimed_value_is_one_word(claimed):
    tree = built({keccak256(word(2)): rlp.encode(b"\5")})
    proof = proof_of(tree, keccak256(word(2)))
    assert all(v.held for v in audit(mpt.judge_storage, tree.root_hash, word(2), proof, word(5)))
    verdicts = audit(mpt.judge_storage, tree.root_hash, word(2), proof, claimed)
    assert isinstance(verdicts[-1].error, MalformedInput)
    verdicts = audit(mpt.judge_storage, tree.root_hash, word(2), proof, word(6))
    assert (verdicts[-1].name, verdicts[-1].error.expected) == ("word_matches", word(6))


def test_attack_B39_extra_and_duplicate_nodes_are_refused():
    accept()
    key = keccak256(ROUTER)
    refuse("no_unused_nodes", STATE.root_hash, key, [*ROUTER_PROOF, storage_proof(7)[-1]])
    refuse("no_unused_nodes", STATE.root_hash, key, [*ROUTER_PROOF, ROUTER_PROOF[-1]])
    refuse("node_hash_matches", STATE.root_hash, key, [ROUTER_PROOF[0], *ROUTER_PROOF])
    refuse("node_hash_matches", STATE.root_hash, key, [storage_proof(7)[0], *ROUTER_PROOF])


def test_attack_B39_too_many_nodes_and_bytes_fail_fast():
    accept()
    with pytest.raises(MalformedInput):
        mpt.walk(STATE.root_hash, keccak256(ROUTER), ROUTER_PROOF * 100)
    huge = leaf_node(KEY_NIBBLES, value=bytes(mpt.MAX_NODE_BYTES))
    with pytest.raises(MalformedInput):
        mpt.walk(keccak256(huge), KEY, [huge])


def test_attack_B40_storage_root_comes_from_a_proven_account_only():
    """A storage proof under its own invented root is consistent; the account proof is what ties it to the chain."""
    forged = storage_trie({7: 10**6})
    proof = proof_of(forged, keccak256(word(7)))
    assert mpt.verify_storage(forged.root_hash, word(7), proof) == word(10**6)
    proven = mpt.verify_account(STATE.root_hash, ROUTER, ROUTER_PROOF)
    claimed = replace(proven, storage_root=forged.root_hash)
    verdicts = audit(mpt.judge_account, STATE.root_hash, ROUTER, ROUTER_PROOF, claimed)
    assert (verdicts[-1].name, verdicts[-1].error.reason) == ("account_matches", "storage_root")
    assert all(v.held for v in audit(mpt.judge_account, STATE.root_hash, ROUTER, ROUTER_PROOF, proven))
    with pytest.raises(PredicateFailed):
        mpt.verify_storage(proven.storage_root, word(7), proof)


@pytest.mark.parametrize("root", [b"", ZERO, STATE.root_hash[:31], STATE.root_hash + b"\0"])
def test_attack_A_zero_root_is_trusted_by_no_trie(root):
    accept()
    refuse("root_is_well_formed", root, keccak256(ROUTER), ROUTER_PROOF)
    refuse("root_is_well_formed", root, keccak256(ROUTER), [])


def test_addresses_and_slots_have_one_length():
    for address in (b"", bytes(19), bytes(32)):
        with pytest.raises(MalformedInput):
            mpt.verify_account(STATE.root_hash, address, ROUTER_PROOF)
    for slot in (b"", b"\7", bytes(33)):
        with pytest.raises(MalformedInput):
            mpt.verify_storage(STORAGE.root_hash, slot, storage_proof(7))


@pytest.mark.parametrize("subject", ["account", "member", "absent"])
def test_every_changed_bit_of_a_proof_is_refused(subject):
    """The accepted set is exactly the original: a node's hash covers all its bytes."""
    accept()
    root, key, nodes = {
        "account": (STATE.root_hash, keccak256(ROUTER), ROUTER_PROOF),
        "member": (STORAGE.root_hash, keccak256(word(7)), storage_proof(7)),
        "absent": (STORAGE.root_hash, keccak256(word(777)), storage_proof(777)),
    }[subject]
    for index, node in enumerate(nodes):
        for bit in range(8 * len(node)):
            changed = bytearray(node)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(VerificationError):
                mpt.walk(root, key, [*nodes[:index], bytes(changed), *nodes[index + 1 :]])


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=80), max_size=4), st.booleans())
def test_any_nodes_under_their_own_root_give_a_verdict(nodes, fixed):
    root = keccak256(nodes[0]) if nodes else STATE.root_hash
    try:
        mpt.walk(root, KEY, nodes, fixed_length_keys=fixed)
    except VerificationError:
        return


NODE_ITEMS = st.one_of(st.binary(max_size=34), st.lists(st.binary(max_size=8), max_size=3))


@pytest.mark.long
@settings(max_examples=300)
@given(st.one_of(st.lists(NODE_ITEMS, min_size=2, max_size=2), st.lists(NODE_ITEMS, min_size=17, max_size=17)))
def test_any_node_shape_gives_a_verdict(items):
    node = rlp.encode(items)
    for fixed in (True, False):
        try:
            mpt.walk(keccak256(node), KEY, [node], fixed_length_keys=fixed)
        except VerificationError:
            continue


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.integers(0, 400), st.integers(1, 2**256 - 1), max_size=40), st.integers(0, 400))
def test_each_slot_is_either_its_word_or_absent(slots, asked):
    tree = storage_trie(slots)
    proof = proof_of(tree, keccak256(word(asked))) if slots else []
    expected = word(slots[asked]) if asked in slots else None
    assert mpt.verify_storage(tree.root_hash, word(asked), proof) == expected


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.binary(min_size=1, max_size=4), st.binary(min_size=1, max_size=40), min_size=1, max_size=30),
    st.binary(min_size=1, max_size=4),
)
def test_keys_of_many_lengths_agree_with_the_library(content, asked):
    tree = built(content)
    value = mpt.walk(tree.root_hash, asked, proof_of(tree, asked), fixed_length_keys=False)
    assert value == content.get(asked)
