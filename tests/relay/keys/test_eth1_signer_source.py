"""The kind `eth1-signer`: a stock signer over REST, one that is away, one that lies, and certificates of both sides."""

from pathlib import Path

import pytest
import trio

from hutong.adapters.interface import DocumentUnsupported, SignerFaulty, SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import secp256k1
from hutong.relay.config import Eth1SignerConfig
from hutong.relay.keys import KeyUnavailable, open_source
from hutong.relay.keys.documents import DocumentKind
from tests.adapters.rpc.guarded_server import authority, signed_by
from tests.relay.keys.documents import documents, transaction
from tests.relay.keys.source_conformance import SourceConformance, recovered
from tests.relay.keys.web3signer import web3signer

SECRET, OTHER = bytes(range(1, 33)), bytes(31) + b"\x07"
PUBLIC = secp256k1.public_key_of(SECRET)
BY_KECCAK = frozenset(
    {DocumentKind.EVM_TRANSACTION, DocumentKind.ATTESTATION, DocumentKind.FEED_REPORT, DocumentKind.TYPED_DATA}
)


def source_of(url: str, public_key: bytes = PUBLIC, **more: object):
    table = {"kind": "eth1-signer", "url": url, "public_key": public_key.hex()} | more
    return open_source(Eth1SignerConfig.model_validate(table))


@pytest.fixture
async def signer():
    async with web3signer(OTHER, SECRET) as server:
        yield server


class TestStockSigner(SourceConformance):
    """By the API of Web3Signer alone: SHA-256 it does not sign."""

    expected_key = PUBLIC
    signs = BY_KECCAK

    @pytest.fixture
    async def source(self, signer):
        found = source_of(signer.url)
        yield found
        await found.aclose()


async def test_what_is_asked_is_the_document_and_never_its_digest(signer):
    source = source_of(signer.url)
    for kind in sorted(BY_KECCAK):
        document = documents(PUBLIC)[kind]
        await source.sign(document)
        assert signer.signed.pop() == document.preimage
    await source.aclose()


LIES = {
    "another key's": lambda signature: secp256k1.sign_recoverable(OTHER, bytes(32)),
    "cut": lambda signature: signature[:64],
    "long": lambda signature: signature + b"\0",
    "zero": lambda signature: bytes(65),
    "swapped": lambda signature: signature[32:64] + signature[:32] + signature[64:],
}


@pytest.mark.parametrize("lie", LIES)
async def test_attack_G14_a_wrong_signature_leaves_nobody(signer, lie):
    source = source_of(signer.url)
    signer.lie = LIES[lie]
    with pytest.raises(SignerFaulty) as caught:
        await source.sign(transaction())
    assert caught.value.source == source.name
    signer.lie = lambda signature: signature
    assert recovered(transaction(), await source.sign(transaction())) == PUBLIC
    await source.aclose()


async def test_high_s_and_a_wrong_recovery_id_are_mended(signer):
    source = source_of(signer.url)

    def high(signature: bytes) -> bytes:
        s = secp256k1.ORDER - int.from_bytes(signature[32:64], "big")
        return signature[:32] + s.to_bytes(32, "big") + b"\x63"

    signer.lie = high
    assert recovered(transaction(), await source.sign(transaction())) == PUBLIC
    await source.aclose()


async def test_a_key_that_the_signer_has_not_is_named(signer):
    unknown = secp256k1.public_key_of(bytes(31) + b"\x63")
    source = source_of(signer.url, unknown)
    with pytest.raises(SigningRefused, match=f"does not have the key {unknown.hex()}"):
        await source.sign(transaction())
    health = await source.health()
    assert not health.ready and unknown.hex() in health.detail
    await source.aclose()


@pytest.mark.parametrize(
    ("status", "error"), [(500, SignerUnavailable), (503, SignerUnavailable), (403, SigningRefused)]
)
async def test_a_status_says_who_must_act(signer, status, error, autojump_clock):
    source = source_of(signer.url, timeout_ms=60_000)
    signer.fails = [status] * 3
    with pytest.raises(error, match=str(status)):
        await source.sign(transaction())
    signer.fails = [503]
    assert recovered(transaction(), await source.sign(transaction())) == PUBLIC, "one failure is asked again"
    await source.aclose()


async def test_a_signer_that_stalls_or_is_away_is_unavailable(signer):
    source = source_of(signer.url, timeout_ms=60)
    signer.stalls = trio.Event()
    with pytest.raises(SignerUnavailable, match="no answer in 0.06 s"):
        await source.sign(transaction())
    assert not (await source.health()).ready
    signer.stalls.set()
    await source.aclose()
    away = source_of("http://127.0.0.1:9", timeout_ms=2_000)
    with pytest.raises(SignerUnavailable):
        await away.sign(transaction())
    assert "127.0.0.1:9" in (await away.health()).detail
    await away.aclose()


async def test_votes_are_never_asked_of_it(signer):
    source = source_of(signer.url)
    for kind in (
        DocumentKind.CONSENSUS_VOTE,
        DocumentKind.CONSENSUS_PROPOSAL,
        DocumentKind.CONSENSUS_SKIP,
        DocumentKind.CONSENSUS_VOTE_EXTENSION,
    ):
        with pytest.raises(DocumentUnsupported):
            await source.sign(documents(PUBLIC)[kind])
    assert signer.signed == []


def test_certificates_that_cannot_be_used_are_told_at_the_start(tmp_path):
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).write_text("nothing")
        (tmp_path / name).chmod(0o600)
    files = {"client_certificate": tmp_path / "client.pem", "client_key": tmp_path / "client.key"}
    for more in ({"ca_file": tmp_path / "ca.pem"}, files):
        with pytest.raises(KeyUnavailable, match=r"eth1-signer https://127\.0\.0\.1:9"):
            source_of("https://127.0.0.1:9", **more)


@pytest.mark.long
async def test_both_sides_show_a_certificate(tmp_path):
    serving, clients = authority(tmp_path, "serving"), authority(tmp_path, "clients")
    server, client, stranger = (
        signed_by(serving, "server"),
        signed_by(clients, "client"),
        signed_by(serving, "stranger"),
    )
    async with web3signer(SECRET, tls=(*server, clients)) as signer:

        def files(certificate: Path, key: Path) -> dict[str, Path]:
            return {"ca_file": serving, "client_certificate": certificate, "client_key": key}

        source = source_of(signer.url, **files(*client))
        assert recovered(transaction(), await source.sign(transaction())) == PUBLIC
        assert (await source.health()).ready
        await source.aclose()
        for name, more in (
            ("no certificate", {"ca_file": serving}),
            ("a stranger's", files(*stranger)),
            ("no authority", {}),
        ):
            refused = source_of(signer.url, **more)
            with pytest.raises(SignerUnavailable):
                await refused.sign(transaction())
            await refused.aclose()
            assert len(signer.signed) == 1, name
