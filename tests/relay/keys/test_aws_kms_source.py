"""The kind `aws-kms`, against a store of ours that answers as AWS documents it. It was not tried against AWS."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from hutong.adapters.interface import DocumentUnsupported, SignerFaulty, SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import p256, secp256k1
from hutong.relay.config import AwsKmsConfig
from hutong.relay.keys import KeyAlgorithm, KeyUnavailable, load_signer, open_source
from hutong.relay.keys.documents import DocumentKind, parse_jws_input
from tests.relay.keys.documents import ES256_TOKEN, cosmos_transaction, documents, token, transaction
from tests.relay.keys.fake_kms import fake_kms
from tests.relay.keys.source_conformance import SourceConformance, recovered

pytestmark = pytest.mark.long

SECRET = bytes(range(1, 33))
PUBLIC = secp256k1.public_key_of(SECRET)


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


def source_of(url: str, public_key: bytes = PUBLIC, **more: object):
    table = {"kind": "aws-kms", "key_id": "alias/relay", "region": "eu-central-1", "public_key": public_key.hex()}
    return open_source(AwsKmsConfig.model_validate(table | {"endpoint_url": url} | more))


@pytest.fixture
async def store():
    async with fake_kms(SECRET) as served:
        yield served


class TestAwsKms(SourceConformance):
    expected_key = PUBLIC

    @pytest.fixture
    async def source(self, store):
        found = source_of(store.url)
        yield found
        await found.aclose()


async def test_messages_are_hashed_there_and_everything_else_here(store):
    source = source_of(store.url)
    for kind in (DocumentKind.EVM_TRANSACTION, DocumentKind.COSMOS_TRANSACTION, DocumentKind.CONSENSUS_VOTE):
        await source.sign(documents(PUBLIC)[kind])
    large = cosmos_transaction(PUBLIC, "x" * 5_000)
    assert recovered(large, await source.sign(large)) == PUBLIC
    assert store.asked == ["DIGEST", "RAW", "RAW", "DIGEST"]
    await source.aclose()


@pytest.mark.parametrize(
    ("status", "name", "error"),
    [
        (400, "ThrottlingException", SignerUnavailable),
        (500, "KMSInternalException", SignerUnavailable),
        (400, "AccessDeniedException", SigningRefused),
        (400, "DisabledException", SigningRefused),
        (400, "NotFoundException", SigningRefused),
    ],
)
async def test_an_error_says_who_must_act(store, status, name, error):
    source = source_of(store.url)
    store.failures = [(status, name)] * 3
    with pytest.raises(error, match=name):
        await source.sign(transaction())
    store.failures = [(400, "ThrottlingException")]
    assert recovered(transaction(), await source.sign(transaction())) == PUBLIC, "once throttled is asked again"
    await source.aclose()


async def test_attack_G14_a_wrong_key_is_found_out(store):
    source, other = source_of(store.url), source_of(store.url, secp256k1.public_key_of(bytes(31) + b"\x07"))
    assert (await source.health()).ready and not (await other.health()).ready
    store.lies = True
    with pytest.raises(SignerFaulty):
        await source.sign(transaction())
    for one in (source, other):
        await one.aclose()


async def test_other_algorithms_are_not_asked_of_it(store):
    source = source_of(store.url)
    with pytest.raises(DocumentUnsupported):
        await source.sign(parse_jws_input(b"eyJhbGciOiJFUzI1NiJ9.e30"))
    assert store.asked == []
    await source.aclose()


async def test_a_store_that_is_away_is_unavailable():
    source = source_of("http://127.0.0.1:9", timeout_ms=300)
    with pytest.raises(SignerUnavailable, match="EndpointConnectionError|ConnectTimeoutError"):
        await source.sign(transaction())
    assert not (await source.health()).ready
    await source.aclose()


TOKEN_KEY = (
    ec.derive_private_key(int.from_bytes(SECRET, "big"), ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
)


def token_config(url: str) -> AwsKmsConfig:
    table = {"kind": "aws-kms", "key_id": "alias/city", "region": "eu-central-1", "curve": "p256"}
    return AwsKmsConfig.model_validate(table | {"public_key": TOKEN_KEY.hex(), "endpoint_url": url})


class TestKeyOfP256(SourceConformance):
    """Signs tokens alone."""

    algorithm = KeyAlgorithm.P256
    expected_key = TOKEN_KEY
    signs = frozenset({DocumentKind.JWS})

    @pytest.fixture
    async def source(self):
        async with fake_kms(SECRET, is_p256=True) as served:
            found = open_source(token_config(served.url))
            yield found
            await found.aclose()


async def test_attack_G14_a_wrong_key_of_p256_is_found_out():
    async with fake_kms(SECRET, is_p256=True) as served:
        source = open_source(token_config(served.url))
        assert p256.verify(TOKEN_KEY, ES256_TOKEN.preimage, await source.sign(ES256_TOKEN))
        with pytest.raises(DocumentUnsupported, match="ES256K"):
            await source.sign(token())
        served.lies = True
        with pytest.raises(SignerFaulty):
            await source.sign(ES256_TOKEN)
        await source.aclose()


def test_no_account_stands_on_a_key_of_p256():
    with pytest.raises(KeyUnavailable, match="secp256k1"):
        load_signer(token_config("http://127.0.0.1:9"))
    with pytest.raises(ValidationError, match="compressed key of P-256"):
        AwsKmsConfig.model_validate(token_config("http://127.0.0.1:9").model_dump() | {"public_key": "02" + "ff" * 32})
