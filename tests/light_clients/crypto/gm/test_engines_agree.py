"""SM2 engines against each other on random keys, messages and changes: what one accepts the other does.

Fast code for this curve has refused one good signature in 10^5, and on one kind of processor alone (GmSSL#951). HUTONG_SM2_PAIRS
sets how many are tried: the nightly run takes a million.
"""

import os
from random import Random

import pytest

from hutong.light_clients.crypto import gm
from tests.light_clients.crypto.gm.sm2_reference import SM2P256V1

PAIRS = int(os.environ.get("HUTONG_SM2_PAIRS", "1000"))


def changed(random: Random, signature: bytes) -> bytes:
    """A signature with a bit changed, its halves swapped, one of them negated, or their sum zero."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    match random.randrange(5):
        case 0:
            bit = random.randrange(512)
            number = int.from_bytes(signature, "big") ^ 1 << bit
            return number.to_bytes(64, "big")
        case 1:
            return signature[32:] + signature[:32]
        case 2:
            return SM2P256V1.hash_of(gm.ORDER - r, s)
        case 3:
            return SM2P256V1.hash_of(r, gm.ORDER - s)
        case _:
            return SM2P256V1.hash_of(r, gm.ORDER - r)


@pytest.mark.long
def test_gmssl_and_tongsuo_agree():
    pytest.importorskip("tongsuopy")
    from tests.light_clients.crypto.gm import oracles

    random = Random(18)
    pair = gm.new_key_pair()
    for number in range(PAIRS):
        if number % 50 == 0:
            pair = gm.new_key_pair()
        message = random.randbytes(random.randrange(100))
        signature = gm.sign(pair, message) if number % 2 else oracles.tongsuo_sign(pair.private_key, message)
        assert gm.verify(pair.public_key, message, signature), (pair.public_key, message, signature)
        assert oracles.tongsuo_verify(pair.public_key, message, signature), (pair.public_key, message, signature)
        if number % 10 == 0:
            wrong = changed(random, signature)
            verdicts = (
                gm.verify(pair.public_key, message, wrong),
                oracles.tongsuo_verify(pair.public_key, message, wrong),
            )
            assert verdicts == (False, False), (pair.public_key, message, wrong)


@pytest.mark.long
def test_gmssl_and_gmalg_agree():
    pytest.importorskip("gmalg")
    from tests.light_clients.crypto.gm import oracles

    random = Random(22)
    for number in range(max(PAIRS // 50, 20)):
        pair, message = gm.new_key_pair(), random.randbytes(random.randrange(100))
        identifier = random.randbytes(random.randrange(1, 40)) if number % 2 else gm.DEFAULT_IDENTIFIER
        signature = gm.sign(pair, message, identifier)
        wrong = changed(random, signature)
        for each in (signature, wrong):
            verdicts = (
                gm.verify(pair.public_key, message, each, identifier),
                oracles.gmalg_verify(pair.public_key, message, each, identifier),
            )
            assert verdicts == (each == signature,) * 2, (pair.public_key, message, each, identifier)
