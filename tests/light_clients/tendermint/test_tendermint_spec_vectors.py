"""docs/spec/hub-header.md computed again, in both directions."""

import json
import re
from dataclasses import replace
from pathlib import Path

from hutong.light_clients.crypto import secp256k1, sha256
from hutong.light_clients.tendermint import codec, hashing
from hutong.light_clients.tendermint.types import (
    BlockId,
    KeyType,
    PartSetHeader,
    PublicKey,
    SignedMessageType,
    Validator,
    ValidatorSet,
)

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/spec/hub-header.md").read_text()
VECTOR = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])


def raw(name):
    return bytes.fromhex(VECTOR[name])


def validators():
    return ValidatorSet.of(
        tuple(
            Validator.of(PublicKey(KeyType.SECP256K1, bytes.fromhex(v["public_key"])), v["power"])
            for v in VECTOR["validators"]
        )
    )


def test_validator_set():
    for validator, expected in zip(validators().validators, VECTOR["validators"], strict=True):
        assert secp256k1.public_key_of(bytes.fromhex(expected["secret"])).hex() == expected["public_key"]
        assert validator.address.hex() == expected["address"]
        assert hashing.encode_simple_validator(validator).hex() == expected["simple_validator"]
    assert hashing.validator_set_hash(validators()) == raw("validators_hash")


def test_header():
    header = codec.decode_header(raw("header"))
    assert (header.chain_id, header.height, str(header.time_ns)) == (
        VECTOR["chain_id"],
        VECTOR["height"],
        VECTOR["time_ns"],
    )
    assert codec.encode_header(header) == raw("header")
    assert hashing.header_hash(header) == raw("header_hash")
    assert header.validators_hash == raw("validators_hash")
    assert header.consensus_hash == raw("consensus_hash") == hashing.consensus_params_hash(4 * 1024 * 1024, 60_000_000)
    assert header.data_hash == header.evidence_hash == header.last_results_hash == raw("empty_hash")
    assert hashing.header_hash(replace(header, version_app=2)) != raw("header_hash")


def test_commit_and_votes():
    commit = codec.decode_commit(raw("commit"))
    assert codec.encode_commit(commit) == raw("commit")
    assert hashing.commit_hash(commit) == raw("commit_hash")
    assert commit.block_id == BlockId(raw("header_hash"), PartSetHeader(1, b"\x05" * 32))
    assert hashing.encode_block_id(commit.block_id) == raw("block_id")
    for entry, validator, vote in zip(commit.signatures, VECTOR["validators"], VECTOR["votes"], strict=True):
        assert str(entry.timestamp_ns) == vote["timestamp_ns"]
        sign_bytes = hashing.commit_signer(VECTOR["chain_id"], commit)(entry.timestamp_ns)
        assert sign_bytes.hex() == vote["sign_bytes"]
        assert sha256(sign_bytes).hex() == vote["digest"]
        signature = secp256k1.sign(bytes.fromhex(validator["secret"]), sha256(sign_bytes))
        assert signature.hex() == vote["signature"] == entry.signature.hex()
        assert secp256k1.verify_low_s(bytes.fromhex(validator["public_key"]), sha256(sign_bytes), signature)


def test_nil_vote_and_proposal():
    commit = codec.decode_commit(raw("commit"))
    at = commit.signatures[0].timestamp_ns
    nil = hashing.vote_sign_bytes(VECTOR["chain_id"], SignedMessageType.PRECOMMIT, 5, 0, None, at)
    assert nil == raw("nil_vote_sign_bytes")
    proposal = hashing.proposal_sign_bytes(VECTOR["chain_id"], 5, 0, -1, commit.block_id, at)
    assert proposal == raw("proposal_sign_bytes")
