"""Bitcoin's own encodings: what is read is written back, everything else is one typed error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.bitcoin import (
    BlockHeader,
    MerkleBlock,
    PartialMerkleTree,
    decode_block_header,
    decode_headers,
    decode_merkle_block,
    decode_transaction,
    encode_headers,
    encode_merkle_block,
)
from hutong.light_clients.bitcoin.types import MAX_HEADERS, TransactionOutput
from hutong.light_clients.bitcoin.wire import (
    MAX_MERKLE_BLOCK_BYTES,
    MAX_TRANSACTION_BYTES,
    Reader,
    compact_size,
    decode_block,
)
from hutong.light_clients.interface import MalformedInput, VerificationError
from tests.light_clients.bitcoin.bitcoin_chain import (
    GENESIS,
    PUBLISHER,
    SimulatedChain,
    coinbase,
    funding_of,
    publication,
    spending,
    transaction,
)

FUZZ = settings(max_examples=150, deadline=None)
HASHES = st.binary(min_size=32, max_size=32)
UINT32 = st.integers(0, 2**32 - 1)
HEADERS = st.builds(BlockHeader, st.integers(-(2**31), 2**31 - 1), HASHES, HASHES, UINT32, UINT32, UINT32)
GENESIS_HASH = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"


def test_genesis_of_regtest_has_its_hash():
    assert GENESIS.block_hash[::-1].hex() == GENESIS_HASH
    assert decode_block_header(GENESIS.encode()) == GENESIS


@given(HEADERS)
def test_headers_are_written_as_they_are_read(header):
    data = header.encode()
    assert len(data) == 80
    assert decode_block_header(data) == header
    assert decode_headers(data * 3) == (header,) * 3
    assert encode_headers((header,) * 3) == data * 3


@pytest.mark.parametrize("size", [0, 1, 79, 81, 159, 80 * MAX_HEADERS + 1, 80 * (MAX_HEADERS + 1), 10_000_000])
def test_headers_of_another_length_are_malformed(size):
    with pytest.raises(MalformedInput) as caught:
        decode_headers(bytes(size))
    assert (caught.value.field, caught.value.got) == ("headers", size // 80 if size % 80 == 0 and size else size)
    assert len(decode_headers(bytes(80 * MAX_HEADERS))) == MAX_HEADERS


@given(st.integers(0, 2**64 - 1))
def test_lengths_have_one_form(value):
    data = compact_size(value)
    reader = Reader(data, "n")
    assert reader.compact_size() == value
    reader.end()
    for marker, size in ((0xFD, 2), (0xFE, 4), (0xFF, 8)):
        longer = bytes([marker]) + (value % 256**size).to_bytes(size, "little")
        if value < 256**size and len(longer) > len(data):
            with pytest.raises(MalformedInput, match="shortest"):
                Reader(longer, "n").compact_size()


def test_lengths_that_are_invalid():
    with pytest.raises(ValueError):
        compact_size(2**64)
    for data in (b"", b"\xfd", b"\xfd\x01", b"\xff" * 8):
        with pytest.raises(MalformedInput, match="ends too early"):
            Reader(data, "n").compact_size()


SEGWIT = bytes.fromhex(  # BIP143's P2WPKH example, signed, and its txid
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6"
    "a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc"
    "618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb20600"
    "0000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0"
    "167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c45183315"
    "61406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07ae"
    "ee635711000000"
)
SEGWIT_TXID = "e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609"


def test_witness_is_left_out_of_what_the_txid_hashes():
    with pytest.raises(MalformedInput, match="witness"):
        decode_transaction(SEGWIT)
    found = decode_transaction(SEGWIT, with_witness=True)
    assert len(found.inputs) == len(found.outputs) == 2
    assert found.lock_time == 0x11
    assert found.txid[::-1].hex() == SEGWIT_TXID
    assert decode_transaction(found.serialized) == found
    assert len(found.serialized) < len(SEGWIT)


def test_superfluous_witness_marker_is_malformed():
    plain = funding_of(1).serialized
    marked = plain[:4] + b"\x00\x01" + plain[4:-4] + b"\x00" + plain[-4:]
    with pytest.raises(MalformedInput, match="marked"):
        decode_transaction(marked, with_witness=True)


def test_transactions_are_read_back():
    for made in (coinbase(7), funding_of(3), publication(funding_of(3), (b"key", b"\x05" * 32))):
        assert decode_transaction(made.serialized) == made
        for cut in (made.serialized[:-1], made.serialized + b"\0", b""):
            with pytest.raises(MalformedInput):
                decode_transaction(cut)
    assert coinbase(7).is_coinbase
    assert not funding_of(3).is_coinbase


def test_transactions_without_inputs_or_outputs_are_malformed():
    for made in (transaction([], [TransactionOutput(1, PUBLISHER)]), transaction([spending(bytes(32))], [])):
        with pytest.raises(MalformedInput):
            decode_transaction(made.serialized)


def test_counts_beyond_the_bytes_are_refused_before_anything_is_read():
    bomb = (2).to_bytes(4, "little") + b"\xff" + (2**64 - 1).to_bytes(8, "little")
    with pytest.raises(MalformedInput, match="counts more items"):
        decode_transaction(bomb)
    with pytest.raises(MalformedInput, match="counts more items"):
        decode_block(GENESIS.encode() + b"\xfe\xff\xff\xff\xff")
    with pytest.raises(MalformedInput, match=f"more than {MAX_TRANSACTION_BYTES}"):
        decode_transaction(bytes(MAX_TRANSACTION_BYTES + 1))
    with pytest.raises(MalformedInput, match=f"more than {MAX_MERKLE_BLOCK_BYTES}"):
        decode_merkle_block(bytes(MAX_MERKLE_BLOCK_BYTES + 1))


def test_blocks_are_read_with_their_transactions():
    block = SimulatedChain().blocks[5]
    data = block.header.encode() + compact_size(4) + b"".join(tx.serialized for tx in block.transactions)
    assert decode_block(data) == (block.header, block.transactions)


@FUZZ
@given(st.binary(max_size=300))
def test_attack_H_bitcoin_any_bytes_end_in_a_value_or_a_typed_error(data):
    for decode in (
        decode_block_header,
        decode_headers,
        decode_transaction,
        lambda d: decode_transaction(d, with_witness=True),
        decode_block,
        decode_merkle_block,
        lambda d: decode_merkle_block(GENESIS.encode() + d),
        lambda d: decode_block(GENESIS.encode() + d),
    ):
        try:
            decode(data)
        except VerificationError:
            pass


@FUZZ
@given(st.data())
def test_attack_H_bitcoin_damaged_transactions_are_other_transactions_or_refused(data):
    """One encoding of each value: what still parses hashes to another txid."""
    made = publication(funding_of(3), (b"key", b"\x05" * 32))
    changed = bytearray(made.serialized)
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        found = decode_transaction(bytes(changed))
    except VerificationError:
        return
    assert found.serialized == bytes(changed)
    assert found.txid != made.txid


@FUZZ
@given(HEADERS, st.integers(0, 2**32 - 1), st.lists(HASHES, max_size=9), st.lists(st.booleans(), max_size=40))
def test_merkle_blocks_are_written_as_they_are_read(header, count, hashes, flags):
    flags = flags + [False] * (-len(flags) % 8)
    block = MerkleBlock(header, PartialMerkleTree(count, tuple(hashes), tuple(flags)))
    assert decode_merkle_block(encode_merkle_block(block)) == block
