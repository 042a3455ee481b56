"""`hutong hub signer start` killed at any moment: what it wrote down is all that it will ever sign there."""

import signal
import subprocess
import sys
import time

import pytest

from hutong.relay.hub.consensus.signing import DoubleSignRefused
from hutong.relay.hub.consensus.types import NIL
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.home.last_signed import decode_last_signed
from hutong.relay.hub.remote_signer.codec import SignVoteRequest, encode
from tests.relay.hub.remote_signer.signed_home import (
    BLOCKS,
    TIME_NS,
    connected,
    make_place,
    start_signer,
    vote,
    wait_for,
)


@pytest.fixture
def place(tmp_path):
    made = make_place(tmp_path)
    yield made
    made.close()


@pytest.fixture
def started(place):
    """Starts the signer; what is still running at the end is killed."""
    running = []

    def start():
        running.append(start_signer(place))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate(timeout=120)


def record_of(place):
    return decode_last_signed((place.signer / "last_signed.json").read_bytes())


@pytest.mark.long
def test_attack_C45_hub_a_signer_killed_between_record_and_answer_gives_that_signature_and_no_other(place, started):
    process = started()
    client = connected(place)
    client.sign_vote(vote(place, 4))
    asked = vote(place, 5, block=BLOCKS[0])
    # As the node does, without waiting for the answer.
    client._connection.stream.sendall(encode(SignVoteRequest(asked)))
    wait_for(lambda: record_of(place).height == 5)
    process.kill()
    process.wait(timeout=120)
    (written,) = record_of(place).signed
    with pytest.raises(SignerAway):
        client.sign_vote(vote(place, 5, 1))

    started()
    client.connect()
    assert client.record == record_of(place)
    for other in (BLOCKS[1], NIL):
        with pytest.raises(DoubleSignRefused, match="other bytes were signed there"):
            client.sign_vote(vote(place, 5, block=other))
    signed = client.sign_vote(vote(place, 5, block=BLOCKS[0], time_ns=TIME_NS + 9))
    assert (signed.signature, signed.timestamp_ns) == (written.signature, written.timestamp_ns)
    assert client.sign_vote(vote(place, 6)).signature


@pytest.mark.long
def test_a_signer_that_stands_still_is_away_after_the_limit_and_its_late_answer_is_nobodys(place, started):
    process = started()
    client = connected(place, limit_s=0.5)
    process.send_signal(signal.SIGSTOP)
    began_s = time.monotonic()
    with pytest.raises(SignerAway, match="it does not answer in time"):
        client.sign_vote(vote(place, 5, block=BLOCKS[0]))
    with pytest.raises(SignerAway, match="it does not answer in time"):
        client.sign_vote(vote(place, 5, 1))
    assert time.monotonic() - began_s < 10
    process.send_signal(signal.SIGCONT)
    again = connected(place)
    first = again.sign_vote(vote(place, 5, block=BLOCKS[0]))
    assert first.signature == record_of(place).signed[0].signature
    with pytest.raises(DoubleSignRefused, match="other bytes were signed there"):
        again.sign_vote(vote(place, 5, block=BLOCKS[1]))


@pytest.mark.long
def test_a_signer_ends_as_told_and_a_second_one_in_its_home_is_refused(place, started):
    process = started()
    second = subprocess.run(
        [sys.executable, "-m", "hutong.relay.cli", "hub", "signer", "start", "--home", str(place.signer)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (second.returncode, second.stdout) == (2, "")
    assert "another hub process runs in this home" in second.stderr
    assert second.stderr.count("\n") == 1
    process.terminate()
    output, _ = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in output) == (0, False), output
