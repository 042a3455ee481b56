"""What every kind of key source must do. A kind's tests derive from `SourceConformance` and give the fixture `source`."""

import pytest
import trio

from hutong.adapters.interface import DocumentUnsupported
from hutong.light_clients.crypto import p256, secp256k1
from hutong.relay.keys import KeyAlgorithm, KeySource, Signer, SourceHealth
from hutong.relay.keys.documents import DocumentKind, SigningDocument
from tests.relay.keys.documents import ES256_TOKEN, documents, legacy, transaction

EVERY_KIND = frozenset(DocumentKind)
AT_ONCE = 16


def recovered(document, signature: bytes) -> bytes | None:
    """The compressed key that made a signature of 65 bytes with low s and v 0 or 1; None for any other."""
    key = secp256k1.recover_public_key(document.digest, signature)
    return None if key is None else secp256k1.compress(key)


class SourceConformance:
    """`signs`: the kinds of documents that this source signs; the others it must refuse as `DocumentUnsupported`.

    `expected_key`: the public key that the fixture's source has been told or given, of the curve `algorithm`.
    """

    signs = EVERY_KIND
    algorithm = KeyAlgorithm.SECP256K1
    expected_key: bytes

    @pytest.fixture
    def source(self) -> KeySource:
        raise NotImplementedError

    def documents(self) -> dict[DocumentKind, SigningDocument]:
        """One of each kind, a token with the curve's algorithm."""
        own = {DocumentKind.JWS: ES256_TOKEN} if self.algorithm is KeyAlgorithm.P256 else {}
        return documents(self.expected_key) | own

    def is_signed(self, document: SigningDocument, signature: bytes) -> bool:
        """Whether the signature is of the expected key, in the form of its curve."""
        if self.algorithm is KeyAlgorithm.P256:
            return p256.verify(self.expected_key, document.preimage, signature)
        return recovered(document, signature) == self.expected_key

    async def test_the_key_is_the_one_that_was_named(self, source):
        assert source.algorithm is self.algorithm and source.public_key == self.expected_key
        assert source.name and source.public_key.hex() not in source.name

    async def test_each_kind_is_signed_or_refused_by_name(self, source):
        for kind, document in self.documents().items():
            if kind in self.signs:
                assert self.is_signed(document, await source.sign(document)), kind
            else:
                with pytest.raises(DocumentUnsupported) as caught:
                    await source.sign(document)
                assert caught.value.source == source.name

    async def test_many_tasks_sign_at_once(self, source):
        kind = next(iter(sorted(self.signs)))
        made = {}

        async def sign(number: int) -> None:
            document = transaction(number) if DocumentKind.EVM_TRANSACTION in self.signs else known
            made[number] = (document, await source.sign(document))

        known = self.documents()[kind]
        async with trio.open_nursery() as nursery:
            for number in range(AT_ONCE):
                nursery.start_soon(sign, number)
        assert len(made) == AT_ONCE
        assert all(self.is_signed(document, signature) for document, signature in made.values())

    async def test_low_s_and_recovery_id_of_many_digests(self, source):
        if DocumentKind.EVM_TRANSACTION not in self.signs:
            pytest.skip("the digests are of transactions")
        for number in range(10):
            for document in (transaction(number), legacy(number)):
                assert self.is_signed(document, await source.sign(document))

    async def test_health_says_ready_and_signs_nothing(self, source):
        health = await source.health()
        assert isinstance(health, SourceHealth) and health.ready and health.detail

    async def test_a_closed_source_opens_again(self, source):
        kind = next(iter(sorted(self.signs)))
        document = self.documents()[kind]
        await source.sign(document)
        await source.aclose()
        await source.aclose()
        assert self.is_signed(document, await source.sign(document))

    async def test_an_account_stands_on_it(self, source):
        if DocumentKind.TYPED_DATA not in self.signs:
            pytest.skip("no account signs with it")
        signer = Signer(source)
        signature = await signer.sign_typed_data(b"\x01" * 32, b"\x02" * 32)
        assert signature[64] in (27, 28) and signer.public_key == source.public_key
