"""Messages sealed and opened: what they are bound to, another library as judge, and what is refused.

HUTONG_HPKE_INPUTS sets how many changed keys and messages are tried: the nightly run takes a million.
"""

import os
import random
from contextlib import suppress
from dataclasses import replace

import pytest
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_public_key
from Crypto.PublicKey import ECC
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import hpke
from hutong.light_clients.crypto.hpke import (
    Aead,
    Kem,
    NotOpened,
    PrivateKey,
    Sealed,
    SizeRefused,
    Suite,
    SuiteUnsupported,
    libraries,
)

INPUTS = int(os.environ.get("HUTONG_HPKE_INPUTS", "20000"))
SUITES = [Suite(kem, aead) for kem in Kem for aead in Aead]
NAMES = [f"{suite.kem.label}-{suite.aead.name}" for suite in SUITES]
KEYS = {kem: PrivateKey.parse(kem, bytes(range(1, 33))) for kem in Kem}
OTHERS = {kem: PrivateKey.parse(kem, bytes(range(2, 34))) for kem in Kem}
every_suite = pytest.mark.parametrize("suite", SUITES, ids=NAMES)
dh_suites = pytest.mark.parametrize("suite", [suite for suite in SUITES if suite.takes_aad])


def aad_of(suite: Suite) -> bytes:
    return b"additional" if suite.takes_aad else b""


def sealed_by(suite: Suite, plaintext: bytes = b"a message") -> Sealed:
    return hpke.seal(suite, KEYS[suite.kem].public_key, plaintext, info=b"info", aad=aad_of(suite))


@every_suite
def test_message_opens(suite):
    for plaintext in (b"", b"a message", bytes(70_000)):
        message = sealed_by(suite, plaintext)
        assert (len(message.enc), len(message.ciphertext)) == (suite.kem.enc_bytes, len(plaintext) + 16)
        assert hpke.open_sealed(suite, KEYS[suite.kem], message, info=b"info", aad=aad_of(suite)) == plaintext


@every_suite
def test_message_opens_under_its_own_context_alone(suite):
    message = sealed_by(suite)
    key, aad = KEYS[suite.kem], aad_of(suite)
    other_aead = Suite(suite.kem, Aead(suite.aead % 3 + 1))
    assert hpke.open_sealed(suite, key, message, info=b"info", aad=aad)
    with pytest.raises(NotOpened):
        hpke.open_sealed(suite, key, message, info=b"other", aad=aad)
    with pytest.raises(NotOpened):
        hpke.open_sealed(suite, OTHERS[suite.kem], message, info=b"info", aad=aad)
    with pytest.raises(NotOpened):
        hpke.open_sealed(other_aead, key, message, info=b"info", aad=aad)
    if suite.takes_aad:
        with pytest.raises(NotOpened):
            hpke.open_sealed(suite, key, message, info=b"info", aad=b"")


@every_suite
def test_every_changed_byte_is_refused(suite):
    message = sealed_by(suite)
    for name in ("enc", "ciphertext"):
        whole = getattr(message, name)
        for index in range(0, len(whole), 1 if len(whole) < 100 else 97):
            changed = bytearray(whole)
            changed[index] ^= 0x40
            with pytest.raises(NotOpened):
                hpke.open_sealed(
                    suite, KEYS[suite.kem], replace(message, **{name: bytes(changed)}), info=b"info", aad=aad_of(suite)
                )


@every_suite
def test_encapsulated_keys_are_fresh(suite):
    messages = [sealed_by(suite) for _ in range(20)]
    assert len({message.enc for message in messages}) == len({message.ciphertext for message in messages}) == 20


@every_suite
def test_sizes_are_bounded(suite):
    key, message = KEYS[suite.kem], sealed_by(suite)
    with pytest.raises(SizeRefused, match="plain text"):
        hpke.seal(suite, key.public_key, bytes(hpke.MAX_PLAINTEXT_BYTES + 1))
    with pytest.raises(SizeRefused, match="info"):
        hpke.seal(suite, key.public_key, b"", info=bytes(hpke.MAX_BOUND_BYTES + 1))
    for enc in (b"", message.enc[:-1], message.enc + b"\0"):
        with pytest.raises(SizeRefused, match="encapsulated"):
            hpke.open_sealed(suite, key, replace(message, enc=enc))
    for ciphertext in (b"", message.ciphertext[:15], bytes(hpke.MAX_PLAINTEXT_BYTES + 17)):
        with pytest.raises(SizeRefused, match="ciphertext"):
            hpke.open_sealed(suite, key, replace(message, ciphertext=ciphertext))


def test_encapsulated_key_of_small_order_is_refused():
    """A sender who picks the shared secret for the reader: zero, whatever the reader's key."""
    message = sealed_by(hpke.DAP)
    for number in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18):
        with pytest.raises(NotOpened):
            hpke.open_sealed(
                hpke.DAP, KEYS[Kem.X25519], replace(message, enc=number.to_bytes(32, "little")), info=b"info"
            )


def test_suite_is_the_keys():
    with pytest.raises(SuiteUnsupported, match="x25519 with a key of p-256"):
        hpke.seal(hpke.DAP, KEYS[Kem.P256].public_key, b"")
    with pytest.raises(SuiteUnsupported):
        hpke.open_sealed(hpke.HYBRID, KEYS[Kem.X25519], sealed_by(hpke.HYBRID))


def test_hybrid_has_no_aad():
    with pytest.raises(SuiteUnsupported, match="put it into info"):
        hpke.seal(hpke.HYBRID, KEYS[Kem.MLKEM768_X25519].public_key, b"", aad=b"additional")


def judge_key(suite: Suite, *, private: bool):
    secret = KEYS[suite.kem].secret
    if suite.kem is Kem.P256:
        key = ECC.construct(curve="P-256", d=int.from_bytes(secret, "big"))
        return key if private else key.public_key()
    if private:
        return ECC.construct(curve="Curve25519", seed=secret)
    return import_x25519_public_key(KEYS[suite.kem].public_key.encoded)


@dh_suites
def test_another_library_opens_ours(suite):
    message = sealed_by(suite)
    judge = HPKE.new(
        receiver_key=judge_key(suite, private=True), aead_id=HPKE.AEAD(suite.aead), enc=message.enc, info=b"info"
    )
    assert judge.unseal(message.ciphertext, auth_data=b"additional") == b"a message"


@dh_suites
def test_message_of_another_library_opens(suite):
    judge = HPKE.new(receiver_key=judge_key(suite, private=False), aead_id=HPKE.AEAD(suite.aead), info=b"info")
    message = Sealed(judge.enc, judge.seal(b"theirs", auth_data=b"additional"))
    assert hpke.open_sealed(suite, KEYS[suite.kem], message, info=b"info", aad=b"additional") == b"theirs"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SUITES), st.data())
def test_any_bytes_are_refused_by_type(suite, data):
    """Whatever is drawn ends in one of the named errors."""
    enc = data.draw(st.binary(min_size=suite.kem.enc_bytes, max_size=suite.kem.enc_bytes))
    ciphertext = data.draw(st.binary(max_size=64))
    with pytest.raises(hpke.HpkeError):
        hpke.open_sealed(suite, KEYS[suite.kem], Sealed(enc, ciphertext))


def count_opened(inputs: int, seed: int = 24) -> int:
    """How many keys and messages with up to three changes, drawn by a seed, opened; what is not a named error is raised."""
    draw = random.Random(seed)
    messages = {suite: sealed_by(suite) for suite in SUITES}
    opened = 0
    for _ in range(inputs):
        suite = draw.choice(SUITES)
        message = messages[suite]
        parts = bytearray(message.enc), bytearray(message.ciphertext)
        for _ in range(draw.randint(1, 3)):
            part = draw.choice(parts)
            if part and draw.random() < 0.9:
                part[draw.randrange(len(part))] = draw.randrange(256)
            else:
                del part[draw.randrange(len(part) + 1) :]
        changed = Sealed(*map(bytes, parts))
        with suppress(hpke.HpkeError):
            hpke.PublicKey.parse(suite.kem, changed.enc + bytes(suite.kem.public_key_bytes - suite.kem.enc_bytes))
        with suppress(hpke.HpkeError):
            hpke.open_sealed(suite, KEYS[suite.kem], changed, info=b"info", aad=aad_of(suite))
            opened += changed != message
    return opened


@pytest.mark.long
def test_changed_inputs_end_in_named_errors():
    assert count_opened(INPUTS) == 0


def test_without_the_extra_it_says_so(monkeypatch):
    message = sealed_by(hpke.DAP)
    libraries.found.cache_clear()
    monkeypatch.setattr(libraries, "import_module", absent)
    try:
        assert not hpke.is_installed()
        with pytest.raises(hpke.HpkeNotInstalled, match="not supported: HPKE without the extra `hpke`"):
            hpke.PublicKey.parse(Kem.X25519, bytes(32))
        with pytest.raises(hpke.HpkeNotInstalled):
            hpke.open_sealed(hpke.DAP, KEYS[Kem.X25519], message)
    finally:
        libraries.found.cache_clear()
    monkeypatch.undo()
    assert hpke.is_installed()


def absent(name: str):
    raise ModuleNotFoundError(name)
