"""One key and two signers, or one that forgot: what stock signers let through, and what stands before them."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hutong.light_clients.tendermint.types import SignedMessageType, Validator, ValidatorSet
from hutong.relay.config import PrivvalConfig
from hutong.relay.hub.consensus.evidence import AccountableUntil, duplicate_vote, verify_evidence
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned
from hutong.relay.hub.consensus.types import Equivocation, Vote
from hutong.relay.hub.engine.source_signer import SourceSigner
from hutong.relay.hub.home.filepv import encode_state
from hutong.relay.hub.home.home import encode_validator_key, validator_key
from hutong.relay.hub.home.last_signed import encode_last_signed
from hutong.relay.keys import open_source
from hutong.relay.keys.documents import ConsensusVote
from hutong.relay.keys.privval.listener import SignerAbsent, SignerListener
from hutong.relay.keys.privval.messages import RefusedVote, SignedVote, VoteRequest
from hutong.relay.keys.sources.blocking import BlockingSource
from tests.nodes.privval.signer_programs import STATE_FILE, new_priv_val_server, new_tmkms
from tests.nodes.provision import tmkms_path
from tests.relay.hub.remote_signer.signed_home import BLOCKS

pytestmark = pytest.mark.nodes

CHAIN = "hutong-1"
KEY = validator_key(bytes(range(1, 33)))
TIME_NS = 1_800_000_000 * 10**9
LIMIT_S = 300.0
NO_TMKMS = pytest.mark.skipif(
    not tmkms_path().is_file(), reason="tmkms is built by `python tests/nodes/provision.py tmkms` alone"
)
SIGNERS = ["priv_val_server", pytest.param("tmkms", marks=NO_TMKMS)]


def vote(height, block=BLOCKS[0], time_ns=TIME_NS) -> ConsensusVote:
    return ConsensusVote(CHAIN, SignedMessageType.PRECOMMIT, height, 0, block, time_ns)


class Stock:
    """Two nodes that ask, and signers of one key, each in a folder of its own."""

    def __init__(self, folder, name) -> None:
        folder.mkdir()
        self.folder, self.name = folder, name
        self.running = []
        self.nodes = [SignerListener(folder / f"n{number}", CHAIN, KEY.public_key, LIMIT_S) for number in (0, 1)]

    def signer(self, number: int, node: int):
        """Made with an empty record where it has none."""
        home = self.folder / str(number)
        if not home.exists():
            home.mkdir()
            (home / "priv_validator_key.json").write_bytes(encode_validator_key(KEY))
            (home / STATE_FILE).write_bytes(encode_state(LastSigned()))
        path = self.folder / f"n{node}"
        made = (
            new_priv_val_server(home, path, CHAIN) if self.name == "priv_val_server" else new_tmkms(home, [path], CHAIN)
        )
        self.running.append(made)
        return made

    def ask(self, node: int, document: ConsensusVote):
        return self.nodes[node].ask(VoteRequest(document, KEY.public_key.address))

    def listen(self, node: int) -> None:
        """priv_val_server looks for its node for a second and no longer."""
        with pytest.raises(SignerAbsent, match="no signer has connected"):
            self.nodes[node].ping()

    def close(self) -> None:
        for program in self.running:
            if program.running:
                program.kill()
        for node in self.nodes:
            node.close()


@pytest.fixture
def stock(short_path, request):
    made = Stock(short_path, request.param)
    yield made
    made.close()


def is_evidence(*votes: SignedVote) -> bool:
    """Whether a hub takes the two votes as evidence, by which clients of it freeze."""
    first, second = (
        Vote(
            SignedMessageType.PRECOMMIT, one.request.document.height, 0, one.request.document.block_id,
            one.request.document.timestamp_ns, 0, KEY.public_key.address, one.signature,
        )
        for one in votes
    )  # fmt: skip
    validators = ValidatorSet((Validator(KEY.public_key.address, KEY.public_key, 10, 0),))
    evidence = duplicate_vote(Equivocation(first, second), validators, TIME_NS)
    verify_evidence(CHAIN, evidence, validators, TIME_NS, AccountableUntil(9, TIME_NS, 100, 10**15))
    return True


@pytest.mark.parametrize("stock", SIGNERS, indirect=True)
def test_row_29_two_stock_signers_of_one_key_sign_two_blocks_and_it_is_evidence(stock):
    for number in (0, 1):
        stock.listen(number)
        stock.signer(number, node=number).start()
    first, second = stock.ask(0, vote(5)), stock.ask(1, vote(5, BLOCKS[1]))
    assert isinstance(first, SignedVote) and isinstance(second, SignedVote), "neither can see the other"
    assert is_evidence(first, second)
    # Each keeps its own record.
    assert isinstance(stock.ask(0, vote(5, BLOCKS[1])), RefusedVote)


@pytest.mark.parametrize("stock", SIGNERS, indirect=True)
def test_row_29_a_stock_signer_from_an_old_copy_signs_again_and_the_nodes_record_stands_before_it(stock):
    stock.listen(0)
    signer = stock.signer(0, node=0)
    signer.start()
    assert isinstance(stock.ask(0, vote(4)), SignedVote)
    shutil.copytree(stock.folder / "0", stock.folder / "old")
    first = stock.ask(0, vote(5))
    # The clock goes back: the record knows no clock.
    repeated = stock.ask(0, vote(5, time_ns=TIME_NS - 10**12))
    assert isinstance(repeated, SignedVote)
    signer.kill()
    shutil.rmtree(stock.folder / "0")
    (stock.folder / "old").rename(stock.folder / "0")
    stock.signer(0, node=0).start()
    second = stock.ask(0, vote(5, BLOCKS[1]))
    assert isinstance(second, SignedVote) and is_evidence(first, second), "a record that went back forbids nothing"

    # The same signer under a node of ours, whose own record is asked first.
    stock.nodes[0].close()
    stock.running[-1].kill()
    shutil.rmtree(stock.folder / "0")
    (stock.folder / "last_signed.json").write_bytes(encode_last_signed(LastSigned()))
    table = {"listen": f"unix://{stock.folder}/n0", "public_key": KEY.public_key.data.hex(), "timeout_ms": 60_000}
    source = open_source(PrivvalConfig.model_validate({"kind": "privval", "chain_id": CHAIN} | table))
    ours = SourceSigner(stock.folder, BlockingSource(source, LIMIT_S), CHAIN, signs_skips=False)

    def asked(block, time_ns=TIME_NS) -> Vote:
        return Vote(SignedMessageType.PRECOMMIT, 5, 0, block, time_ns, 0, KEY.public_key.address)

    waiting = threading.Thread(target=_when_listened_at, args=(stock.folder / "n0", stock.signer(0, node=0).start))
    waiting.start()
    signed = ours.sign_vote(asked(BLOCKS[0]))
    waiting.join()
    stock.running[-1].kill()
    shutil.rmtree(stock.folder / "0")  # it forgets everything
    with pytest.raises(DoubleSignRefused, match="other bytes were signed there"):
        ours.sign_vote(asked(BLOCKS[1]))
    assert ours.sign_vote(asked(BLOCKS[0], TIME_NS - 10**12)) == signed


def _when_listened_at(path: Path, start: Callable[[], None]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    start()


@NO_TMKMS
def test_row_29_one_tmkms_of_two_nodes_signs_one_vote_twice_and_two_blocks_never(short_path):
    stock = Stock(short_path, "tmkms")
    try:
        home = stock.folder / "0"
        home.mkdir()
        (home / "priv_validator_key.json").write_bytes(encode_validator_key(KEY))
        (home / STATE_FILE).write_bytes(encode_state(LastSigned()))
        both = new_tmkms(home, [stock.folder / "n0", stock.folder / "n1"], CHAIN)
        stock.running.append(both)
        for node in (0, 1):
            stock.listen(node)
        both.start()
        first, second = stock.ask(0, vote(5)), stock.ask(1, vote(5, time_ns=TIME_NS + 7))
        assert isinstance(first, SignedVote) and isinstance(second, SignedVote)
        assert (first.request.document.timestamp_ns, second.request.document.timestamp_ns) == (TIME_NS, TIME_NS + 7)
        assert isinstance(stock.ask(1, vote(5, BLOCKS[1])), RefusedVote)
        # A height that the first node has not reached: no turns.
        assert isinstance(stock.ask(1, vote(6)), SignedVote) and isinstance(stock.ask(0, vote(7)), SignedVote)
    finally:
        stock.close()
