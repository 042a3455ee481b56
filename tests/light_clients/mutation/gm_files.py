"""ASN.1 and PEM of the GM suite, changed: what is read is what is written, and no changed signature or ciphertext counts."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from hutong.light_clients.crypto import gm
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from tests.light_clients.crypto.gm.sm2_reference import SM2P256V1
from tests.light_clients.mutation.engine import FalseAcceptance, Subject
from tests.light_clients.mutation.forms import Flat

MESSAGE = b"message"
CIPHERTEXTS = (
    (
        "3079022100819d831cc29fc97650cfcc97cbd5fb5085c1dc83d2edda6b1814ccaad55c488d02207de08d1aa035e3d17f2269"
        "47f3e2377ea577167bb50502dfcc0e7ce3c18acdde042010615600d06d5ffb4e4a5114481ec611a098db818974f8d4054165"
        "d6b79bb04304100227a91844f3eac28d669881aa8c5ffd"
    ),
    (
        "3079022100b677a54e340708cdbcec10f057b7893c7ef1c318c5b4c2bfdfff1c74e34f896102204aad19f246901326af49dc"
        "cb97af2d4cf0cd4b964a33999d2e1a060348b911f504209418b52434f3b98127539f2618f0aa8d2338d63f24886d1bbc5ecc"
        "86a7cb57ed04102d3a85ba85e74d225ef967bd2fc52659"
    ),
)
"""Of one text to the key below: engines take no nonce, and inputs must be made again from their seed."""
Read = TypeVar("Read")


def _read(reader: Callable[[bytes], Read], data: bytes) -> Read:
    try:
        return reader(data)
    except gm.GmMalformed as error:
        raise MalformedInput(error.field, str(error)) from None


def gm_subjects() -> Iterator[Subject]:
    """Signature, ciphertext and key file of one key."""
    private = int.from_bytes(gm.sm3(b"a key"), "big") % gm.ORDER
    point = SM2P256V1.public_key(private)
    pair = gm.KeyPair(private.to_bytes(32, "big"), SM2P256V1.hash_of(*point))
    e = SM2P256V1.digest(point, gm.DEFAULT_IDENTIFIER, MESSAGE)
    signed = (SM2P256V1.sign(private, e, nonce) for nonce in (2**200 + 1, 2**201 + 1, 2**202 + 1))
    signatures = tuple(gm.signature_to_der(SM2P256V1.hash_of(*scalars)) for scalars in signed)
    ciphertexts = tuple(map(bytes.fromhex, CIPHERTEXTS))

    def signature(data: bytes) -> None:
        read = _read(gm.signature_from_der, data)
        if gm.signature_to_der(read) != data:
            raise FalseAcceptance("another encoding")
        if not gm.verify(pair.public_key, MESSAGE, read):
            raise PredicateFailed("sm2_signature", "does not verify")
        if data not in signatures:
            raise FalseAcceptance("a changed signature")

    def ciphertext(data: bytes) -> None:
        read = _read(gm.ciphertext_from_der, data)
        if gm.ciphertext_to_der(read) != data:
            raise FalseAcceptance("another encoding")
        try:
            gm.decrypt(pair.private_key, read)
        except gm.GmNotAuthentic as error:
            raise PredicateFailed(error.field, str(error)) from None
        if data not in ciphertexts:
            raise FalseAcceptance("a changed ciphertext")

    def key(data: bytes) -> None:
        read = _read(gm.key_pair_from_pem, data)
        try:
            gm.sign(read, MESSAGE)
        except gm.GmNotAuthentic as error:
            raise PredicateFailed(error.field, str(error)) from None
        if read != pair:
            raise FalseAcceptance("another key that signs")

    files = (gm.key_pair_to_pem(pair),)
    for name, seeds, reader, judge in (
        ("sm2 signature", signatures, gm.signature_from_der, signature),
        ("sm2 ciphertext", ciphertexts, gm.ciphertext_from_der, ciphertext),
        ("sm2 key file", files, gm.key_pair_from_pem, key),
    ):
        yield Subject(name, Flat(), seeds, partial(_read, reader), judge)
