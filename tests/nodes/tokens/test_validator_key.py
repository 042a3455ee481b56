"""A validator's key on a token: votes of a node and of a signer, and a home that the token knows to be an old copy."""

import shutil

import pytest
import trio

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.hashing import sign_digest
from hutong.light_clients.tendermint.types import KeyType
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned
from hutong.relay.hub.consensus.votes import vote_bytes
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.home.home import UnusableHome
from hutong.relay.hub.home.key_file import no_password
from hutong.relay.hub.home.last_signed import encode_last_signed
from hutong.relay.hub.process.start import signer_of
from tests.nodes.tokens.soft_token import softhsm_token
from tests.relay.hub.remote_signer.signed_home import BLOCKS, make_place, vote

pytestmark = pytest.mark.nodes


@pytest.fixture
def token(tmp_path):
    made = softhsm_token(tmp_path / "token")
    trio.run(made.generate)
    return made


@pytest.fixture
def home(tmp_path, token):
    """A node's home whose key is on the token, as `hutong hub key source` leaves it."""
    place = make_place(tmp_path)
    home = place.nodes[1]
    (home / "validator_key.json").unlink()
    (home / "consensus_key.toml").write_text(token.table())
    (home / "last_signed.json").write_bytes(encode_last_signed(LastSigned()))
    yield home
    place.close()


class Ours:
    def __init__(self, signer):
        self.address = signer.public_key.address


def signed(signer, height):
    asked = vote(Ours(signer), height)
    made = signer.sign_vote(asked)
    digest = sign_digest(KeyType.SECP256K1, vote_bytes("hutong-1", made))
    assert secp256k1.verify_low_s(signer.public_key.data, digest, made.signature)
    return made.signature


def opened(home):
    return signer_of(home, "hutong-1", no_password)


def test_row_25_votes_are_signed_and_repeated_from_the_record(home, token):
    signer = opened(home)
    assert signer.public_key.data == token.keys["01"]
    first = signed(signer, 7)
    assert signed(signer, 7) == first, "a token signs with another nonce each time; the record does not"
    with pytest.raises(DoubleSignRefused):
        signer.sign_vote(vote(Ours(signer), 6))
    assert signed(opened(home), 7) == first
    signed(opened(home), 8)


def test_attack_G14_row_29_an_old_copy_of_a_home_does_not_start(home, token, tmp_path):
    signer = opened(home)
    signed(signer, 7)
    shutil.copytree(home, tmp_path / "copy")
    signed(signer, 8)
    with pytest.raises(UnusableHome, match="up to height 8 round 0 step 2, and this signer's record ends at height 7"):
        opened(tmp_path / "copy")
    signed(opened(home), 9)


def test_attack_G14_row_29_two_homes_with_one_token_do_not_both_sign(home, token, tmp_path):
    first = opened(home)
    signed(first, 7)
    shutil.copytree(home, tmp_path / "copy")
    second = opened(tmp_path / "copy")
    with pytest.raises(DoubleSignRefused, match="another signer uses this key on this token"):
        first.sign_vote(vote(Ours(first), 8, block=BLOCKS[1]))
    signed(second, 8)
    # The first home promised another block of height 8, and has no signature for it.
    with pytest.raises(UnusableHome, match="ends at height 8 round 0 step 2 with something else"):
        opened(home)


def test_row_26_a_node_starts_and_waits_while_its_token_is_away(home, token):
    token.leave()
    signer = opened(home)
    with pytest.raises(SignerAway):
        signer.sign_vote(vote(Ours(signer), 7))
    token.come_back()
    trio.run(trio.sleep, 0.5)
    signed(signer, 7)
