"""A signer for a stock CometBFT node, asked by its protocol; and what moves a stock node's key and record to it and back."""

import base64
import fcntl
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import trio

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.types import BlockId, SignedMessageType
from hutong.relay.hub.consensus.signing import LastSigned, Signed
from hutong.relay.hub.consensus.types import Step
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.home.filepv import decode_state, encode_state
from hutong.relay.hub.home.home import UnusableHome, encode_validator_key, validator_key
from hutong.relay.hub.home.last_signed import encode_last_signed, load_record
from hutong.relay.hub.remote_signer.privval_home import DialledNode, decode_node, encode_node, load_node, take_over
from hutong.relay.hub.remote_signer.privval_service import PrivvalService
from hutong.relay.keys.documents import ConsensusProposal, ConsensusVote, ConsensusVoteExtension
from hutong.relay.keys.privval.listener import SignerListener
from hutong.relay.keys.privval.messages import (
    KeyAnswer,
    KeyRequest,
    Ping,
    Pong,
    ProposalRequest,
    RefusedKey,
    RefusedProposal,
    RefusedVote,
    VoteRequest,
)
from tests.relay.keys.documents import BLOCK

KEY = validator_key(bytes(range(1, 33)))
ADDRESS = KEY.public_key.address
TIME_NS = 1_700_000_000_123_456_789
OTHER_BLOCK = replace(BLOCK, hash=b"\x77" * 32)


def vote(
    height=5, round_=0, block=BLOCK, kind=SignedMessageType.PREVOTE, time_ns=TIME_NS, chain="any chain"
) -> VoteRequest:
    return VoteRequest(ConsensusVote(chain, kind, height, round_, block, time_ns), ADDRESS, 3)


@pytest.fixture
def folder():
    made = Path(tempfile.mkdtemp(dir="/tmp"))
    yield made
    shutil.rmtree(made)


def service_of(home: Path, path: Path) -> PrivvalService:
    if not (home / "last_signed.json").exists():
        (home / "last_signed.json").write_bytes(encode_last_signed(LastSigned()))
    node = DialledNode(f"unix://{path}", "any chain")
    return PrivvalService(node, FileSigner(home, KEY, "any chain"), Random(1))


@pytest.fixture
def service(folder):
    return service_of(folder, folder / "node.sock")


def test_a_vote_is_signed_as_cometbft_verifies_it_with_its_extension(service):
    asked = vote(kind=SignedMessageType.PRECOMMIT)
    signed = service.answer(asked)
    assert signed.request == asked
    assert secp256k1.verify_low_s(KEY.public_key.data, asked.document.digest, signed.signature)
    extension = ConsensusVoteExtension("any chain", 5, 0, b"")
    assert secp256k1.verify_low_s(KEY.public_key.data, extension.digest, signed.extension_signature)
    for plain in (vote(6), vote(7, block=BlockId(), kind=SignedMessageType.PRECOMMIT)):
        assert service.answer(plain).extension_signature == b""
        assert service.answer(replace(plain, extension=b"x")) == RefusedVote(
            "only a precommit for a block may have an extension"
        )


def test_attack_C45_what_cometbfts_own_signer_refuses_is_refused(service):
    first = service.answer(vote(5, 1))
    later = service.answer(vote(5, 1, time_ns=TIME_NS + 4))
    assert (later.signature, later.request.document.timestamp_ns) == (first.signature, TIME_NS)
    refused = {
        "other bytes": vote(5, 1, OTHER_BLOCK),
        "nil": vote(5, 1, BlockId()),
        "round back": vote(5, 0),
        "height back": vote(4, 9),
        "another validator": replace(vote(9), validator_address=b"\x01" * 20),
        "another chain": vote(9, chain="another chain"),
    }
    assert all(isinstance(service.answer(one), RefusedVote) for one in refused.values())
    proposal = ProposalRequest(ConsensusProposal("any chain", 5, 1, -1, BLOCK, TIME_NS))
    assert isinstance(service.answer(proposal), RefusedProposal)  # a step back
    assert service.answer(replace(proposal, document=replace(proposal.document, round=2))).signature
    assert service.answer(KeyRequest("any chain")) == KeyAnswer(KEY.public_key)
    assert isinstance(service.answer(KeyRequest("another chain")), RefusedKey)
    assert service.answer(Ping()) == Pong()


def test_a_record_that_cannot_be_written_gives_no_signature(service, folder):
    (folder / "last_signed.json").unlink()
    (folder / "last_signed.json").mkdir()
    assert "record cannot be written" in service.answer(vote()).reason


async def test_it_dials_for_ever_and_asks_by_one_record(folder):
    path = folder / "node.sock"
    node = SignerListener(path, "any chain", KEY.public_key, 20.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(service_of(folder, path).run)
        first = await trio.to_thread.run_sync(node.ask, vote())
        # The node goes and comes back, as at its restart.
        node.close()
        again = await trio.to_thread.run_sync(node.ask, vote(time_ns=TIME_NS + 1))
        assert again == first
        assert isinstance(await trio.to_thread.run_sync(node.ask, vote(4)), RefusedVote)
        nursery.cancel_scope.cancel()
    node.close()


# Keys and records of stock nodes.


def state(document) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize("step", [Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT])
def test_a_record_goes_to_cometbft_and_back(step):
    at = {
        Step.PROPOSE: ConsensusProposal("any chain", 5, 2, -1, BLOCK, TIME_NS),
        Step.PREVOTE: vote(5, 2).document,
        Step.PRECOMMIT: vote(5, 2, kind=SignedMessageType.PRECOMMIT).document,
    }[step]
    record = LastSigned(5, 2, (Signed(step, at.preimage, TIME_NS, b"\x07" * 64),))
    assert decode_state(encode_state(record)) == record
    written = json.loads(encode_state(record))
    assert (written["height"], written["round"], written["step"]) == ("5", 2, int(step))
    assert base64.b64decode(written["signature"]) == b"\x07" * 64 and bytes.fromhex(written["signbytes"]) == at.preimage


def test_what_a_state_does_not_tell_counts_as_signed(tmp_path):
    assert decode_state(state({"height": "0", "round": 0, "step": 0})) == LastSigned()
    silent = decode_state(state({"height": "5", "round": 2, "step": 3}))
    (tmp_path / "last_signed.json").write_bytes(encode_last_signed(silent))
    signer = FileSigner(tmp_path, KEY, "any chain")
    service = PrivvalService(DialledNode("unix:///x", "any chain"), signer, Random(1))
    assert isinstance(service.answer(vote(5, 2)), RefusedVote)
    assert isinstance(service.answer(vote(5, 2, kind=SignedMessageType.PRECOMMIT)), RefusedVote)
    assert service.answer(vote(5, 3)).signature
    # A floor, and a signature that was asked for and never seen, let CometBFT sign nothing in that round.
    for record in (LastSigned(5), LastSigned(5, 2, (Signed(Step.PREVOTE, b"x", 0, b""),))):
        assert json.loads(encode_state(record))["step"] == 3
    for bad in (
        b"",
        b"{}",
        b"[]",
        state({"height": "-1", "round": 0, "step": 0}),
        state({"height": "1", "round": 0, "step": 4}),
    ):
        with pytest.raises(ValueError, match="is not a CometBFT signing state"):
            decode_state(bad)


def stock_home(folder: Path, height=0) -> Path:
    home = folder / "cometbft"
    (home / "config").mkdir(parents=True)
    (home / "data" / "state.db").mkdir(parents=True)
    (home / "data" / "state.db" / "LOCK").write_bytes(b"")
    (home / "config" / "genesis.json").write_text('{"chain_id": "any chain"}')
    key = home / "config" / "priv_validator_key.json"
    key.write_bytes(encode_validator_key(KEY))
    key.chmod(0o600)
    record = LastSigned(height, 0, (Signed(Step.PREVOTE, vote(height).document.preimage, TIME_NS, b"\x07" * 64),))
    (home / "data" / "priv_validator_state.json").write_bytes(encode_state(record if height else LastSigned()))
    return home


def test_a_stock_nodes_key_moves_and_its_record_is_gone_on_from(folder):
    stock, home = stock_home(folder, 5), folder / "signer"
    node, key = take_over(stock, home, "unix:///run/cometbft.sock", None)
    assert (node, key) == (DialledNode("unix:///run/cometbft.sock", "any chain"), KEY.public_key)
    assert load_node(home) == node == decode_node(encode_node(node))
    assert not (stock / "config" / "priv_validator_key.json").exists()
    assert load_record(home).height == 5
    signer = FileSigner(home, KEY, "any chain")
    assert isinstance(PrivvalService(node, signer, Random(1)).answer(vote(5, 0, OTHER_BLOCK)), RefusedVote)
    with pytest.raises(UnusableHome, match="a signer's home is made once"):
        take_over(stock, home, "unix:///run/cometbft.sock", None)


def test_a_stock_node_that_runs_or_has_no_record_keeps_its_key(folder):
    stock, key = stock_home(folder), folder / "cometbft" / "config" / "priv_validator_key.json"
    with (stock / "data" / "state.db" / "LOCK").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UnusableHome, match="CometBFT runs in this home"):
            take_over(stock, folder / "signer", "unix:///run/cometbft.sock", None)
    with pytest.raises(UnusableHome, match="SecretConnection over TCP is not supported"):
        take_over(stock, folder / "signer", "tcp://127.0.0.1:26659", None)
    (stock / "data" / "priv_validator_state.json").unlink()
    with pytest.raises(UnusableHome, match="could sign a second block"):
        take_over(stock, folder / "signer", "unix:///run/cometbft.sock", None)
    assert key.exists() and not (folder / "signer" / "validator_key.json").exists()
