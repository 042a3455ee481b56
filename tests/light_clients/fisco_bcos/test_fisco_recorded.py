"""Blocks of real chains of both generations and suites: hashes, signatures and roots come out as their nodes say."""

import json
from pathlib import Path

import pytest

from hutong.light_clients.fisco_bcos import (
    CryptoSuite,
    Generation,
    MerkleStep,
    block_hash,
    decode_block_header,
    encode_block_header,
    header_from_rpc,
    steps_from_rpc,
)
from hutong.light_clients.fisco_bcos.merkle import verify_v2, verify_v3
from hutong.light_clients.fisco_bcos.rpc_json import suite_of
from hutong.light_clients.fisco_bcos.rpc_receipt import Kind, inclusion_from_rpc
from hutong.light_clients.fisco_bcos.verification import judge_seals
from hutong.light_clients.interface import VERIFY, Height, MalformedInput, PredicateFailed, UnsupportedOperation

RECORDED = json.loads((Path(__file__).parent / "recorded_blocks.json").read_text())
BLOCKS = {
    "v2_one_sealer": (Generation.V2, CryptoSuite.ECDSA),
    "v2_four_sealers": (Generation.V2, CryptoSuite.ECDSA),
    "v2_gm": (Generation.V2, CryptoSuite.GM),
    "v3": (Generation.V3, CryptoSuite.ECDSA),
}
BY_NAME = pytest.mark.parametrize(("name", "kind"), BLOCKS.items(), ids=list(BLOCKS))


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def header_of(name: str):
    return header_from_rpc(RECORDED[name], Height(0, 0))


@BY_NAME
def test_fields_hash_to_the_block_hash_and_the_sealers_signed_it(name, kind):
    generation, suite = kind
    header, expected = header_of(name), from_hex(RECORDED[name]["hash"])
    assert block_hash(suite, header) == expected
    assert suite_of(header, expected) is suite
    assert decode_block_header(generation, header.encoded) == header.block
    assert encode_block_header(header.block) == header.encoded
    assert len(judge_seals(VERIFY, header, suite)) == len(RECORDED[name]["signatureList"])


@BY_NAME
def test_any_other_field_has_another_hash(name, kind):
    _, suite = kind
    expected = from_hex(RECORDED[name]["hash"])
    for key in ("timestamp", "sealer", "gasUsed", "number"):
        served = dict(RECORDED[name])
        served[key] = int(str(served[key]), 0) + 1
        if key == "number" and "parentInfo" in served:
            with pytest.raises(MalformedInput):
                header_from_rpc(served, Height(0, 0))
            continue
        header = header_from_rpc(served, Height(0, 0))
        assert block_hash(suite, header) != expected
        with pytest.raises(MalformedInput):
            suite_of(header, expected)


@pytest.mark.parametrize("name", ["v2_one_sealer", "v2_gm"])
def test_lone_transaction_is_under_the_transactions_root_of_its_block(name):
    _, suite = BLOCKS[name]
    root = header_of(name).block.transactions_root
    (transaction,) = map(from_hex, RECORDED[name]["transactions"])
    verify_v2(suite, root, 0, transaction, (MerkleStep((), ()),), "included")
    for index, leaf in ((1, transaction), (0, transaction[::-1])):
        with pytest.raises(PredicateFailed):
            verify_v2(suite, root, index, leaf, (MerkleStep((), ()),), "included")


def test_transaction_of_a_thousand_is_under_the_transactions_root_of_its_block():
    served = RECORDED["v3_transaction"]
    leaf, root = from_hex(served["hash"]), header_of("v3").block.transactions_root
    steps = steps_from_rpc(served["txProof"], leaf, CryptoSuite.ECDSA)
    assert verify_v3(CryptoSuite.ECDSA, root, leaf, steps, "included") == 695
    for changed in (steps[1:], steps[:-1], (*steps, MerkleStep((), ()))):
        with pytest.raises(PredicateFailed):
            verify_v3(CryptoSuite.ECDSA, root, leaf, changed, "included")


def test_block_with_extra_data_in_generation_3_is_refused_by_name():
    with pytest.raises(UnsupportedOperation, match="extra data"):
        header_from_rpc({**RECORDED["v3"], "extraData": "0x00"}, Height(0, 0))
    assert header_from_rpc({**RECORDED["v3"], "extraData": ""}, Height(0, 0)) == header_of("v3")


def test_receipt_of_a_gm_chain_is_under_the_receipts_root_of_its_block():
    served, header = RECORDED["v2_gm_receipt"], header_of("v2_gm")

    def inclusion(**changed):
        return inclusion_from_rpc({**served, **changed}, Kind.RECEIPT, CryptoSuite.GM, is_generation_2=True)

    assert inclusion().verify(CryptoSuite.GM, header.block) == 0
    for changed in ({"status": "0x1"}, {"gasUsed": "316450"}, {"output": "0x00"}, {"transactionIndex": "0x1"}):
        with pytest.raises(PredicateFailed):
            inclusion(**changed).verify(CryptoSuite.GM, header.block)
    for changed in ({"logs": None}, {"root": "0x"}, {"receiptProof": None}, {"transactionIndex": hex(2**32)}):
        with pytest.raises(MalformedInput):
            inclusion(**changed)
