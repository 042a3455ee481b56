"""The kind `privval`: a signer that dials, is away, comes back, lies, repeats an earlier time, or is somebody else's."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from hutong.adapters.interface import DocumentUnsupported, SignerFaulty, SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import secp256k1
from hutong.relay.config import ConfigError, PrivvalConfig, load_key_file
from hutong.relay.keys import open_source
from hutong.relay.keys.documents import DocumentKind
from hutong.relay.keys.privval.framing import frame
from hutong.relay.keys.privval.messages import Ping, Pong, ProposalRequest, RefusedVote, VoteRequest
from hutong.relay.keys.sources.blocking import BlockingSource, SourceAway, SourceRefuses
from hutong.relay.keys.sources.signed_earlier import SignedEarlier
from tests.relay.keys.documents import documents
from tests.relay.keys.privval.dialling_signer import DiallingSigner
from tests.relay.keys.source_conformance import SourceConformance

SECRET, OTHER = bytes(range(1, 33)), bytes(31) + b"\x07"
PUBLIC = secp256k1.public_key_of(SECRET)
EVERY = documents(PUBLIC)
VOTE, PROPOSAL = EVERY[DocumentKind.CONSENSUS_VOTE], EVERY[DocumentKind.CONSENSUS_PROPOSAL]


@pytest.fixture
def path():
    """Short: a socket's path has 107 bytes."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    yield folder / "signer.sock"
    shutil.rmtree(folder)


@pytest.fixture
def signer(path):
    made = DiallingSigner(path, SECRET)
    yield made
    made.close()


def config_of(path, **more: object) -> PrivvalConfig:
    table = {
        "kind": "privval",
        "listen": f"unix://{path}",
        "chain_id": "hutong-1",
        "public_key": PUBLIC.hex(),
        "timeout_ms": 5_000,
    }
    return PrivvalConfig.model_validate(table | more)


@pytest.fixture
async def source(path):
    found = open_source(config_of(path))
    yield found
    await found.aclose()


class TestPrivval(SourceConformance):
    expected_key = PUBLIC
    signs = frozenset({DocumentKind.CONSENSUS_VOTE, DocumentKind.CONSENSUS_PROPOSAL})

    @pytest.fixture
    async def source(self, path, signer):
        found = open_source(config_of(path))
        yield found
        await found.aclose()


async def test_what_is_asked_is_the_vote_with_its_validators_address(source, signer):
    await source.sign(VOTE)
    asked = signer.asked[-1]
    assert isinstance(asked, VoteRequest) and asked.document == VOTE
    assert asked.validator_address == signer.public_key.address


async def test_a_signer_that_hangs_up_is_replaced_by_the_one_that_dials_next(source, signer):
    await source.sign(VOTE)
    for _ in range(3):
        signer.hang_up()
        await source.sign(PROPOSAL)
    assert signer.connections >= 4


async def test_without_a_signer_it_says_so_and_a_later_one_signs(path):
    source = open_source(config_of(path, timeout_ms=50))
    with pytest.raises(SignerUnavailable, match="no signer has connected"):
        await source.sign(VOTE)
    assert not (await source.health()).ready
    signer = DiallingSigner(path, SECRET)
    patient = open_source(config_of(path))
    await source.aclose()
    assert await patient.sign(VOTE)
    await patient.aclose()
    signer.close()


def another_vote(signer, request, answer):
    """Signed as it should be, and not what was asked for."""
    other = replace(request.document, round=7)
    return replace(answer, request=replace(request, document=other), signature=signer.sign(other.digest))


LIES = {
    "another vote": another_vote,
    "a signature of zeros": lambda signer, request, answer: replace(answer, signature=bytes(64)),
    "no signature": lambda signer, request, answer: replace(answer, signature=b"\x01" * 64),
}


@pytest.mark.parametrize("lie", LIES)
async def test_attack_G14_a_lying_signer_gives_nothing(source, signer, lie):
    signer.lie = lambda request, answer: (
        LIES[lie](signer, request, answer) if isinstance(request, VoteRequest) else answer
    )
    with pytest.raises(SignerFaulty) as caught:
        await source.sign(VOTE)
    assert not isinstance(caught.value, SignedEarlier)
    signer.lie = lambda request, answer: answer
    assert await source.sign(VOTE)


async def test_an_earlier_time_is_told_with_its_signature_and_anything_else_is_not_taken(source, signer):
    earlier = replace(VOTE, timestamp_ns=VOTE.timestamp_ns - 5)

    def repeat(request, answer):
        if not isinstance(request, VoteRequest):
            return answer
        return replace(answer, request=replace(request, document=earlier), signature=signer.sign(earlier.digest))

    signer.lie = repeat
    with pytest.raises(SignedEarlier) as caught:
        await source.sign(VOTE)
    assert caught.value.timestamp_ns == earlier.timestamp_ns
    made = await trio.to_thread.run_sync(BlockingSource(source, 5).sign, VOTE)
    assert (made.timestamp_ns, made.signature) == (earlier.timestamp_ns, signer.sign(earlier.digest))


@pytest.mark.long
async def test_a_refusal_is_the_signers_and_no_fault(source, signer):
    signer.lie = lambda request, answer: RefusedVote("height regression") if request != Ping() else answer
    # It refuses every question, that for its key as well, in the wrong kind of answer.
    with pytest.raises(SignerUnavailable, match="does not answer as a signer"):
        await source.sign(VOTE)
    signer.lie = lambda request, answer: (
        RefusedVote("height regression") if isinstance(request, VoteRequest) else answer
    )
    with pytest.raises(SigningRefused, match="height regression"):
        await source.sign(VOTE)
    blocking = BlockingSource(source, 5)
    with pytest.raises(SourceRefuses, match="height regression"):
        await trio.to_thread.run_sync(blocking.sign, VOTE)


async def test_attack_G14_a_signer_with_another_key_is_sent_away(path):
    source = open_source(config_of(path, timeout_ms=300))
    stranger = DiallingSigner(path, OTHER)
    with pytest.raises(SignerUnavailable, match="not the one that is pinned"):
        await source.sign(VOTE)
    assert not any(isinstance(one, VoteRequest) for one in stranger.asked)
    stranger.close()
    await source.aclose()


@pytest.mark.long
async def test_attack_G14_what_comes_unasked_or_too_long_ends_the_connection(source, signer):
    for bad in (frame(Ping()) * 2, b"\xff\xff\x7f", b"\x03\x01\x02\x03"):
        signer.lie = lambda request, answer, bad=bad: bad if isinstance(request, ProposalRequest) else answer
        with pytest.raises(SignerUnavailable):
            await source.sign(PROPOSAL)
        assert await source.sign(VOTE)


async def test_attack_G14_an_answer_that_nobody_asked_for_is_not_the_next_ones(source, signer):
    signer.lie = lambda request, answer: frame(Pong()) * 2 if isinstance(request, ProposalRequest) else answer
    with pytest.raises(SignerFaulty, match="does not answer what it was asked"):
        await source.sign(PROPOSAL)
    # The second one waits in the connection, which is given up for it.
    assert await source.sign(VOTE)


async def test_another_chain_and_other_documents_are_refused_without_asking(source, signer):
    with pytest.raises(DocumentUnsupported, match="not of other-1"):
        await source.sign(replace(VOTE, chain_id="other-1"))
    with pytest.raises(DocumentUnsupported, match="no consensus-skip"):
        await source.sign(EVERY[DocumentKind.CONSENSUS_SKIP])
    assert not signer.asked


@pytest.mark.long
async def test_a_socket_that_somebody_listens_at_is_not_taken(path, source, signer):
    await source.sign(VOTE)
    second = open_source(config_of(path))
    health = await second.health()
    assert not health.ready and "another process listens there" in health.detail
    assert await source.sign(VOTE)
    assert path.stat().st_mode & 0o777 == 0o600


def test_outside_trio_it_is_asked_in_a_run_of_its_own(path, signer):
    blocking = BlockingSource(open_source(config_of(path)), 5)
    assert blocking.sign(VOTE).signature and blocking.health().ready
    assert not path.exists()
    away = BlockingSource(open_source(config_of(path, timeout_ms=50)), 5)
    signer.close()
    with pytest.raises(SourceAway):
        away.sign(VOTE)


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("tcp://127.0.0.1:26659", "SecretConnection over TCP is not supported"),
        ("unix://signer.sock", "must look like unix:///run/hub/signer.sock"),
        ("/run/signer.sock", "must look like unix:///run/hub/signer.sock"),
        ("unix:///" + "a" * 200, "at most 107 bytes"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_sentence(tmp_path, listen, said):
    file = tmp_path / "key.toml"
    file.write_text(
        f'[key]\nkind = "privval"\nlisten = "{listen}"\nchain_id = "hutong-1"\npublic_key = "{PUBLIC.hex()}"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_key_file(file)
    (problem,) = caught.value.problems
    assert problem.field == "key.listen" and said in problem.reason
