"""A skip certificate: its bytes, its file, and each of its rules from both sides."""

import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, vote_sign_bytes
from hutong.light_clients.tendermint.skip_certificate import (
    MAX_CERTIFICATE_BYTES,
    MAX_SIGNATURES,
    SkipCertificate,
    SkipSignature,
    SkipStatement,
    certificate_document,
    certificate_of_file,
    certificate_state_key,
    combined,
    decode_certificate,
    decode_statement,
    encode_certificate,
    encode_statement,
    is_certificate,
    sign_bytes,
    skip_digest,
    skip_is_about,
    skip_is_decided,
)
from hutong.light_clients.tendermint.types import BlockId, SignedMessageType
from hutong.relay.evm.errors import InvalidTransaction
from hutong.relay.evm.vm.transaction import decode_transaction

SECRETS = [sha256(b"skip signer %d" % number).digest() for number in range(4)]
KEYS = [secp256k1.public_key_of(secret) for secret in SECRETS]
POWERS = dict.fromkeys(KEYS, 1)
STATEMENT = SkipStatement("hutong-1", 7, b"\x07" * 32, b"\x06" * 32)


def signed(*numbers: int, statement: SkipStatement = STATEMENT) -> SkipCertificate:
    entries = [
        SkipSignature(KEYS[number], secp256k1.sign(SECRETS[number], skip_digest(statement))) for number in numbers
    ]
    return SkipCertificate(statement, tuple(sorted(entries, key=lambda one: one.public_key)))


def test_bytes_and_file_return_what_was_written():
    certificate = signed(0, 1, 2)
    assert decode_certificate(encode_certificate(certificate)) == certificate
    assert certificate_of_file(json.dumps(certificate_document(certificate)).encode()) == certificate
    assert decode_statement(encode_statement(STATEMENT)) == STATEMENT


def test_the_spec_pages_vectors_are_what_the_code_makes():
    page = (Path(__file__).parents[3] / "docs/spec/hub-skip.md").read_text()
    stated = json.loads(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])
    fields = stated["statement"]
    statement = SkipStatement(
        fields["chain_id"],
        fields["height"],
        bytes.fromhex(fields["block_hash"]),
        bytes.fromhex(fields["prior_app_hash"]),
    )
    assert stated["secrets"] == [secret.hex() for secret in SECRETS[:3]]
    assert stated["sign_bytes"] == sign_bytes(statement).hex()
    assert stated["digest"] == skip_digest(statement).hex()
    assert stated["certificate"] == encode_certificate(signed(0, 1, 2, statement=statement)).hex()
    assert stated["state_key"] == certificate_state_key(fields["height"]).hex()


def test_more_than_two_thirds_is_enough():
    skip_is_about(signed(0, 1, 2), STATEMENT)
    skip_is_decided(signed(0, 1, 2), POWERS)


def test_attack_C47_exactly_two_thirds_and_two_of_four_are_too_few():
    three = dict.fromkeys(KEYS[:3], 1)
    for certificate, powers in ((signed(0, 1), three), (signed(0, 1), POWERS), (signed(), POWERS)):
        with pytest.raises(PredicateFailed) as refused:
            skip_is_decided(certificate, powers)
        assert refused.value.predicate == "skip_is_decided"
        assert refused.value.got == len(certificate.signatures)
    skip_is_decided(signed(0, 1, 2), three)


def test_attack_C47_strangers_and_false_signatures_refuse_the_whole():
    with pytest.raises(PredicateFailed) as stranger:
        skip_is_decided(signed(0, 1, 2, 3), dict.fromkeys(KEYS[:3], 1))
    assert (stranger.value.predicate, stranger.value.got) == ("skip_signers_are_members", KEYS[3])
    good = signed(0, 1, 2, 3)
    for wrong in (b"\x01" * 64, b"", good.signatures[1].signature):
        entries = (replace(good.signatures[0], signature=wrong), *good.signatures[1:])
        with pytest.raises(PredicateFailed) as false:
            skip_is_decided(replace(good, signatures=entries), POWERS)
        assert false.value.predicate == "skip_signatures_hold"


def test_attack_C47_one_signer_twice_is_malformed():
    one = signed(0).signatures[0]
    for entries in ((one, one), tuple(reversed(signed(0, 1).signatures))):
        with pytest.raises(MalformedInput, match="ascending order"):
            decode_certificate(encode_certificate(SkipCertificate(STATEMENT, entries)))


@pytest.mark.parametrize(
    "changed",
    [{"chain_id": "hutong-2"}, {"height": 8}, {"block_hash": b"\x08" * 32}, {"prior_app_hash": b"\x08" * 32}],
)
def test_attack_C47_another_chain_height_block_or_state_is_refused(changed):
    other = replace(STATEMENT, **changed)
    with pytest.raises(PredicateFailed) as about:
        skip_is_about(signed(0, 1, 2), other)
    assert about.value.predicate == "skip_is_about"
    moved = replace(signed(0, 1, 2), statement=other)
    with pytest.raises(PredicateFailed) as refused:
        skip_is_decided(moved, POWERS)
    assert refused.value.predicate == "skip_signatures_hold"


def test_attack_C47_no_vote_or_proposal_is_a_skip_and_no_skip_is_a_transaction():
    skip = sign_bytes(STATEMENT)
    block_id = BlockId(b"\x07" * 32)
    others = [
        vote_sign_bytes("hutong-1", kind, 7, 0, block_id, 1)
        for kind in (SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT)
    ]
    others.append(proposal_sign_bytes("hutong-1", 7, 0, -1, block_id, 1))
    for other in others:
        assert other[0] == len(other) - 1 and skip[0] == 0 < len(skip) - 1
    assert is_certificate(encode_certificate(signed(0)))
    with pytest.raises(InvalidTransaction):
        decode_transaction(encode_certificate(signed(0)), 1)


def test_files_of_one_statement_combine_and_others_do_not():
    assert combined([signed(2), signed(0), signed(0, 1)]) == signed(0, 1, 2)
    with pytest.raises(PredicateFailed) as refused:
        combined([signed(0), signed(1, statement=replace(STATEMENT, height=8))])
    assert refused.value.predicate == "skip_statements_agree"
    with pytest.raises(MalformedInput):
        combined([])


def test_the_greatest_certificate_is_within_its_bound():
    statement = replace(STATEMENT, chain_id="a" * 50)
    entries = tuple(
        SkipSignature(bytes([2]) + number.to_bytes(32, "big"), bytes(64)) for number in range(MAX_SIGNATURES)
    )
    greatest = encode_certificate(SkipCertificate(statement, entries))
    assert len(greatest) == MAX_CERTIFICATE_BYTES
    assert decode_certificate(greatest).signatures == entries
    more = SkipCertificate(statement, (*entries, SkipSignature(bytes([3]) * 33, bytes(64))))
    with pytest.raises(MalformedInput):
        decode_certificate(encode_certificate(more))


@given(st.binary(max_size=400), st.integers(0, 300), st.integers(0, 255))
def test_any_bytes_are_a_certificate_or_malformed(noise, at, byte):
    good = bytearray(encode_certificate(signed(0, 1)))
    good[at % len(good)] = byte
    for data in (noise, bytes(good), bytes(good)[: len(noise)], bytes(good) + noise[:1]):
        try:
            assert encode_certificate(decode_certificate(data)) == data
        except MalformedInput:
            pass


@pytest.mark.long
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=70),
        lambda item: (
            st.lists(item)
            | st.dictionaries(
                st.sampled_from(
                    ["format", "chain_id", "height", "block_hash", "prior_app_hash", "signatures", "public_key"]
                ),
                item,
            )
        ),
    )
)
def test_any_json_is_a_skip_file_or_refused(value):
    document = certificate_document(signed(0))
    variants = [value, *({**document, name: value} for name in document)]
    for one in variants:
        try:
            certificate_of_file(json.dumps(one).encode())
        except VerificationError:
            pass
