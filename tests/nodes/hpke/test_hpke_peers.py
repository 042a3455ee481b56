"""Messages between this door and @hpke of npm, both ways, in all nine suites; the hybrid is X-Wing there."""

import pytest

from hutong.light_clients.crypto import hpke
from hutong.light_clients.crypto.hpke import Aead, Kem, PrivateKey, PublicKey, Sealed, Suite
from tests.nodes.hpke.hpke_peer import HpkePeer, PeerRefused, running_hpke_peer

pytestmark = pytest.mark.nodes

INFO = b"hutong hpke peers"
KEYS = {kem: PrivateKey.parse(kem, bytes(range(1, 33))) for kem in Kem}
every_suite = pytest.mark.parametrize(
    "suite",
    [Suite(kem, aead) for kem in Kem for aead in Aead],
    ids=lambda suite: f"{suite.kem.label}-{suite.aead.name}",
)


@pytest.fixture(scope="module")
def peer():
    with running_hpke_peer() as running:
        yield running


def aad_of(suite: Suite) -> bytes:
    return b"additional" if suite.takes_aad else b""


@every_suite
def test_peer_opens_ours(peer: HpkePeer, suite: Suite):
    key, aad = KEYS[suite.kem], aad_of(suite)
    for plaintext in (b"", b"ours", bytes(10_000)):
        message = hpke.seal(suite, key.public_key, plaintext, info=INFO, aad=aad)
        assert peer.open(suite, key, message, INFO, aad) == plaintext
        with pytest.raises(PeerRefused, match="OpenError"):
            peer.open(suite, key, message, INFO + b"\0", aad)


@every_suite
def test_we_open_the_peers(peer: HpkePeer, suite: Suite):
    key, aad = KEYS[suite.kem], aad_of(suite)
    for plaintext in (b"", b"theirs", bytes(10_000)):
        message = peer.seal(suite, key.public_key, plaintext, INFO, aad)
        assert hpke.open_sealed(suite, key, message, info=INFO, aad=aad) == plaintext
        with pytest.raises(hpke.NotOpened):
            hpke.open_sealed(suite, key, message, info=INFO + b"\0", aad=aad)


def test_hybrid_of_the_peer_with_aad_does_not_open(peer: HpkePeer):
    """Our engine takes none: the message is refused, not read as if it had none."""
    key = KEYS[Kem.MLKEM768_X25519]
    message = peer.seal(hpke.HYBRID, key.public_key, b"theirs", INFO, b"additional")
    with pytest.raises(hpke.SuiteUnsupported, match="put it into info"):
        hpke.open_sealed(hpke.HYBRID, key, message, info=INFO, aad=b"additional")
    with pytest.raises(hpke.NotOpened):
        hpke.open_sealed(hpke.HYBRID, key, message, info=INFO)


def test_keys_of_small_order_are_refused(peer: HpkePeer):
    """Neither may seal to a point of small order; X-Wing's own text lets its X25519 half be one, and ours does not."""
    zero = bytes(32)
    with pytest.raises(hpke.KeyRefused):
        PublicKey.parse(Kem.X25519, zero)
    with pytest.raises(PeerRefused):
        peer.seal(hpke.DAP, PublicKey(Kem.X25519, zero, None), b"", b"", b"")
    hybrid = KEYS[Kem.MLKEM768_X25519].public_key.encoded[:1184] + zero
    with pytest.raises(hpke.KeyRefused):
        PublicKey.parse(Kem.MLKEM768_X25519, hybrid)


def test_peer_refuses_what_we_changed(peer: HpkePeer):
    key = KEYS[Kem.MLKEM768_X25519]
    message = hpke.seal(hpke.HYBRID, key.public_key, b"ours", info=INFO)
    for at in (0, 600, 1087, 1088, 1119):
        enc = message.enc[:at] + bytes([message.enc[at] ^ 1]) + message.enc[at + 1 :]
        with pytest.raises(PeerRefused):
            peer.open(hpke.HYBRID, key, Sealed(enc, message.ciphertext), INFO, b"")
