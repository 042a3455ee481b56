"""Keys on a token of kryoptic, which counts wrong PINs and locks after ten, and whose slots are numbered by its configuration."""

import os
import signal

import pytest
import trio

from hutong.adapters.interface import SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import p256
from hutong.relay.keys import KeyAlgorithm
from hutong.relay.keys.documents import DocumentKind
from tests.nodes.provision import kryoptic_path
from tests.nodes.tokens.soft_token import children, kryoptic_token, renumber
from tests.relay.keys.documents import ES256_TOKEN
from tests.relay.keys.source_conformance import SourceConformance

pytestmark = [
    pytest.mark.nodes,
    pytest.mark.skipif(
        not kryoptic_path().is_file(), reason="kryoptic is built by `python tests/nodes/provision.py kryoptic` alone"
    ),
]

TRIES = 10
"""Kryoptic's own, before a token locks."""


@pytest.fixture
async def token(tmp_path):
    made = kryoptic_token(tmp_path)
    await made.generate("01", "p256")
    return made


class TestKeyOfP256(SourceConformance):
    algorithm = KeyAlgorithm.P256
    signs = frozenset({DocumentKind.JWS})

    @pytest.fixture
    async def source(self, token):
        type(self).expected_key = token.keys["01"]
        found = token.source(curve="p256")
        yield found
        await found.aclose()


def flags(token) -> str:
    """What the token says of its PIN to whoever asks."""
    return next(line for line in token.tool("--list-slots").splitlines() if "token flags" in line)


async def wrong(token, name: str) -> None:
    """One run of hutong with a wrong PIN: sixteen tasks of two keys ask for signatures."""
    file = token.folder / f"{name}.pin"
    file.write_text("wrong-horse-30\n")
    file.chmod(0o600)
    sources = [token.source(curve="p256", pin_file=str(file), processes=4) for _ in range(2)]
    refused = 0

    async def ask(source):
        nonlocal refused
        with pytest.raises(SigningRefused, match="refused the PIN"):
            await source.sign(ES256_TOKEN)
        refused += 1

    async with trio.open_nursery() as nursery:
        for source in sources * 8:
            nursery.start_soon(ask, source)
    assert refused == 16
    for source in sources:
        await source.aclose()


async def test_attack_G14_row_27_each_run_costs_one_attempt_and_none_locks(token):
    """Nine runs with a wrong PIN, of 16 signatures each: the tenth attempt is left to the owner."""
    for number in range(TRIES - 1):
        await wrong(token, f"run{number}")
    assert "final user PIN try" in flags(token)
    source = token.source(curve="p256")
    with pytest.raises(SigningRefused, match="one attempt is left"):
        await source.sign(ES256_TOKEN)
    assert "final user PIN try" in flags(token)
    token.tool("--login", "--pin", "env:PIN", "--list-objects", "--type", "pubkey")  # its owner logs in
    assert "PIN try" not in flags(token)
    again = token.source(curve="p256", pin_file=str(renamed(token)))
    assert p256.verify(token.keys["01"], ES256_TOKEN.preimage, await again.sign(ES256_TOKEN))
    for one in (source, again):
        await one.aclose()


def renamed(token):
    """The PIN's file by another name: a later run of hutong remembers no verdict."""
    return token.pin_file.rename(token.folder / "later.pin")


async def test_row_27_a_locked_token_is_named_and_not_tried(token):
    for _ in range(TRIES):
        with pytest.raises(AssertionError, match="CKR_PIN"):
            token.tool("--login", "--pin", "00000000", "--list-objects")
    assert "user PIN locked" in flags(token)
    source = token.source(curve="p256")
    with pytest.raises(SigningRefused, match="the token is locked"):
        await source.sign(ES256_TOKEN)
    assert not (await source.health()).ready
    await source.aclose()


async def test_row_26_a_token_in_another_slot_is_found_by_its_label(token):
    source = token.source(curve="p256")
    before = set(children())
    await source.sign(ES256_TOKEN)
    renumber(token, 42)
    for pid in set(children()) - before:
        os.kill(pid, signal.SIGKILL)
    assert p256.verify(token.keys["01"], ES256_TOKEN.preimage, await source.sign(ES256_TOKEN))
    await source.aclose()


async def test_row_26_a_file_that_is_away_is_a_token_that_is_away(token):
    source = token.source(curve="p256")
    token.leave()
    with pytest.raises(SignerUnavailable):
        await source.sign(ES256_TOKEN)
    token.come_back()
    back_s = trio.current_time()
    while not (await source.health()).ready:
        assert trio.current_time() < back_s + 5
        await trio.sleep(0.05)
    assert p256.verify(token.keys["01"], ES256_TOKEN.preimage, await source.sign(ES256_TOKEN))
    await source.aclose()
