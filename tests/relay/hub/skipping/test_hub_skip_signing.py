"""What a key may sign about a block that counts as empty, and that its record remembers it."""

from dataclasses import replace
from hashlib import sha256

import pytest

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.skip_certificate import SkipStatement, skip_digest
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader, SignedMessageType
from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.consensus.signing import (
    LastSigned,
    SignedSkip,
    SkipRefused,
    above,
    next_signature,
    next_skip,
    skip_forbids,
)
from hutong.relay.hub.consensus.types import Step, Vote
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.home.home import LAST_SIGNED_FILE, validator_key
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed

STATEMENT = SkipStatement("hutong-1", 7, b"\x07" * 32, b"\x06" * 32)
SIGNATURE = b"\x05" * 64
KEY = validator_key(sha256(b"skip signing").digest())


def sign() -> bytes:
    return SIGNATURE


@pytest.mark.parametrize("height", [0, 3, 7])
def test_a_key_that_signed_nothing_above_the_block_signs_its_skip_once(height):
    record, signed = next_skip(LastSigned(height, 2), STATEMENT, sign)
    assert signed == SignedSkip(STATEMENT, SIGNATURE)
    assert record == LastSigned(height, 2, (), signed)
    assert next_skip(record, STATEMENT, lambda: b"never asked") == (record, signed)


def test_attack_C48_a_vote_above_the_block_forbids_the_skip():
    for record in (LastSigned(8, 0), LastSigned(9, 3)):
        with pytest.raises(SkipRefused, match=f"signed at height {record.height} already"):
            next_skip(record, STATEMENT, sign)


def test_attack_C48_a_second_skip_of_a_height_or_an_earlier_one_is_refused():
    record, _ = next_skip(LastSigned(7), STATEMENT, sign)
    for other in (replace(STATEMENT, block_hash=b"\x09" * 32), replace(STATEMENT, height=6)):
        with pytest.raises(SkipRefused, match="the skip of block 7"):
            next_skip(record, other, sign)
    later = replace(STATEMENT, height=8)
    assert next_skip(record, later, sign)[0].skip == SignedSkip(later, SIGNATURE)


def test_attack_C48_who_signed_may_not_execute_that_block_and_others_may():
    record, _ = next_skip(LastSigned(7), STATEMENT, sign)
    assert skip_forbids(record, STATEMENT)
    assert not skip_forbids(record, replace(STATEMENT, height=8))
    assert not skip_forbids(LastSigned(7), STATEMENT)
    with pytest.raises(SkipRefused, match="another block or state"):
        skip_forbids(record, replace(STATEMENT, block_hash=b"\x08" * 32))


def test_votes_and_decided_heights_keep_the_promise_in_the_record():
    record, signed = next_skip(LastSigned(7), STATEMENT, sign)
    voted, _ = next_signature(record, 8, 0, Step.PREVOTE, 1, lambda _: b"vote", lambda _: SIGNATURE)
    assert voted.skip == signed
    assert above(record, 8) == LastSigned(8, skip=signed)
    assert above(record, 7) == record
    assert decode_last_signed(encode_last_signed(voted)) == voted


def test_a_record_with_a_skip_has_a_format_that_older_versions_refuse():
    record, _ = next_skip(LastSigned(7), STATEMENT, sign)
    assert b"hutong-last-signed-2" in encode_last_signed(record)
    assert b"hutong-last-signed-1" in encode_last_signed(LastSigned(7))
    with pytest.raises(ValueError, match="not a last-signed record"):
        decode_last_signed(encode_last_signed(record).replace(b'"skip"', b'"skap"'))


def test_a_signer_writes_the_promise_before_it_hands_the_signature_out(tmp_path):
    write_durably(tmp_path / LAST_SIGNED_FILE, encode_last_signed(LastSigned(7)))
    signer = FileSigner(tmp_path, KEY, "hutong-1")
    made = signer.sign_skip(STATEMENT)
    assert secp256k1.verify_low_s(KEY.public_key.data, skip_digest(STATEMENT), made.signature)
    again = FileSigner(tmp_path, KEY, "hutong-1")
    assert again.record.skip == SignedSkip(STATEMENT, made.signature)
    assert again.sign_skip(STATEMENT) == made
    block_id = BlockId(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32))
    again.sign_vote(Vote(SignedMessageType.PREVOTE, 8, 0, block_id, 1, 0, KEY.public_key.address))
    with pytest.raises(SkipRefused):
        FileSigner(tmp_path, KEY, "hutong-1").sign_skip(replace(STATEMENT, height=7, block_hash=b"\x01" * 32))
    with pytest.raises(SkipRefused, match="signs for hutong-1"):
        signer.sign_skip(replace(STATEMENT, chain_id="other-1"))
