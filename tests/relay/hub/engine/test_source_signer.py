"""A validator's key elsewhere: on record before it is asked, repeated from the record, and nothing else signed there."""

from dataclasses import replace

import pytest
import trio

from hutong.adapters.interface.errors import DocumentUnsupported, SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.skip_certificate import SkipStatement, skip_digest
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader, SignedMessageType
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.consensus.lost_log import without_log
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned, SkipRefused
from hutong.relay.hub.consensus.types import NIL, Proposal, Step, Vote
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.source_signer import SourceSigner
from hutong.relay.hub.home.home import validator_key
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed, load_record
from hutong.relay.keys import KeyAlgorithm, SourceHealth
from hutong.relay.keys.documents import ConsensusSkip
from hutong.relay.keys.sources.blocking import BlockingSource
from hutong.relay.keys.sources.signed_earlier import SignedEarlier

SECRET = bytes(range(1, 33))
PUBLIC = secp256k1.public_key_of(SECRET)
BLOCKS = [BlockId(bytes([number]) * 32, PartSetHeader(1, bytes([number]) * 32)) for number in (1, 2)]
TIME_NS = 10**18
STATEMENT = SkipStatement("hutong-1", 9, b"\x55" * 32, b"\x66" * 32)


class CountingSource:
    """Signs by a key of its own; `fails` is raised in place of the next signatures, after they may have been made."""

    name = "a source of the test"
    algorithm = KeyAlgorithm.SECP256K1
    public_key = PUBLIC

    def __init__(self) -> None:
        self.signed = []
        self.fails: Exception | None = None
        self.home = None
        self.on_record: list[LastSigned] = []

    async def sign(self, document) -> bytes:
        self.on_record.append(load_record(self.home))
        self.signed.append(document)
        if self.fails is not None:
            raise self.fails
        return secp256k1.sign_recoverable(SECRET, document.digest)

    async def health(self) -> SourceHealth:
        return SourceHealth(ready=self.fails is None, detail="as the test says")

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.fixture
def source():
    return CountingSource()


@pytest.fixture
def signer(tmp_path, source):
    (tmp_path / "last_signed.json").write_bytes(encode_last_signed(LastSigned()))
    source.home = tmp_path
    return signer_of(tmp_path, source)


def signer_of(home, source, *, signs_skips=True) -> SourceSigner:
    return SourceSigner(home, BlockingSource(source, 5), "hutong-1", signs_skips=signs_skips)


def vote(height=5, round_=0, block=BLOCKS[0], kind=SignedMessageType.PREVOTE, time_ns=TIME_NS) -> Vote:
    return Vote(kind, height, round_, block, time_ns, 0, bytes(20))


def test_what_is_asked_is_on_record_before_and_its_signature_before_it_leaves(signer, source, tmp_path):
    signed = signer.sign_vote(vote())
    (before,) = source.on_record
    assert (before.height, before.at(Step.PREVOTE).signature) == (5, b"")
    assert load_record(tmp_path).at(Step.PREVOTE).signature == signed.signature
    assert secp256k1.verify_low_s(PUBLIC, source.signed[0].digest, signed.signature)


def test_attack_C45_hub_a_vote_is_repeated_from_the_record_and_never_signed_again(signer, source, tmp_path):
    first = signer.sign_vote(vote())
    again = signer_of(tmp_path, source)
    for one in (signer, again):
        repeated = one.sign_vote(vote(time_ns=TIME_NS + 9))
        assert (repeated.signature, repeated.timestamp_ns) == (first.signature, TIME_NS)
        with pytest.raises(DoubleSignRefused, match="other bytes were signed there"):
            one.sign_vote(vote(block=BLOCKS[1]))
        with pytest.raises(DoubleSignRefused, match="already at height 5"):
            one.sign_vote(vote(4))
    assert len(source.signed) == 1
    assert again.sign_vote(vote(kind=SignedMessageType.PRECOMMIT)).signature and len(source.signed) == 2


def test_a_key_that_comes_back_into_the_home_signs_what_was_asked_of_the_source_and_nothing_else(
    signer, source, tmp_path
):
    source.fails = SignerUnavailable(source.name, "gone")
    for ask in (lambda: signer.sign_skip(STATEMENT), lambda: signer.sign_vote(vote())):
        with pytest.raises(SignerAway, match="gone"):
            ask()
    back = FileSigner(tmp_path, validator_key(SECRET), "hutong-1")
    with pytest.raises(DoubleSignRefused, match="other bytes were signed there"):
        back.sign_vote(vote(block=BLOCKS[1]))
    signed, skip = back.sign_vote(vote(time_ns=TIME_NS + 9)), back.sign_skip(STATEMENT)
    assert signed.timestamp_ns == TIME_NS
    assert secp256k1.verify_low_s(PUBLIC, source.signed[1].digest, signed.signature)
    assert secp256k1.verify_low_s(PUBLIC, skip_digest(STATEMENT), skip.signature)
    record = load_record(tmp_path)
    assert (record.at(Step.PREVOTE).signature, record.skip.signature) == (signed.signature, skip.signature)


def test_attack_C45_hub_a_lost_answer_lets_nothing_else_be_signed(signer, source, tmp_path):
    source.fails = SignerUnavailable(source.name, "gone")
    with pytest.raises(SignerAway, match="gone"):
        signer.sign_vote(vote())
    source.fails = None
    # Also after a restart, and whatever the clock says: the signature may exist.
    for one in (signer, signer_of(tmp_path, source)):
        for other in (BLOCKS[1], NIL):
            with pytest.raises(DoubleSignRefused, match="other bytes were signed there"):
                one.sign_vote(vote(block=other))
    assert len(source.signed) == 1
    signed = signer_of(tmp_path, source).sign_vote(vote(time_ns=TIME_NS - 77))
    assert signed.timestamp_ns == TIME_NS and source.signed[0] == source.signed[1]


def test_what_a_crash_left_without_its_signature_is_completed_or_counts_as_unknown(signer, source, tmp_path):
    source.fails = SignerUnavailable(source.name, "gone")
    for kind in (SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT):
        with pytest.raises(SignerAway):
            signer.sign_vote(vote(kind=kind))
    signer.complete()
    pending = signer.record
    assert [entry.signature for entry in pending.signed] == [b"", b""]
    assert decode_last_signed(encode_last_signed(pending)) == pending
    from tests.relay.hub.simulated_hub import VALIDATOR

    alone = _only(VALIDATOR.public_key)
    blind = without_log(pending, "hutong-1", alone, VALIDATOR.public_key.address)
    assert (blind.signs, blind.votes) == (False, ())

    source.fails = None
    again = signer_of(tmp_path, source)
    again.complete()
    assert all(entry.signature for entry in load_record(tmp_path).signed)
    assert len(without_log(again.record, "hutong-1", alone, VALIDATOR.public_key.address).votes) == 2


def test_what_the_source_refuses_keeps_nothing_else_from_being_completed(signer, source, tmp_path):
    source.fails = SignerUnavailable(source.name, "gone")
    for kind in (SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT):
        with pytest.raises(SignerAway):
            signer.sign_vote(vote(kind=kind))
    sign = source.sign

    async def refuse_prevotes(document) -> bytes:
        if document.message_type is SignedMessageType.PREVOTE:
            raise SigningRefused(source.name, "not this one")
        return await sign(document)

    source.fails, source.sign = None, refuse_prevotes
    again = signer_of(tmp_path, source)
    again.complete()
    assert [bool(entry.signature) for entry in load_record(tmp_path).signed] == [False, True]


def _only(key):
    from hutong.light_clients.tendermint.types import Validator, ValidatorSet

    return ValidatorSet((Validator(key.address, key, 10, 0),))


def test_an_earlier_signature_of_the_source_is_taken_with_its_time(signer, source, tmp_path):
    proposal = Proposal(5, 0, -1, BLOCKS[0], TIME_NS)
    earlier = TIME_NS - 1_000
    at = replace(proposal, timestamp_ns=earlier)

    async def repeat(document) -> bytes:
        source.signed.append(document)
        document = replace(document, timestamp_ns=earlier)
        raise SignedEarlier(source.name, earlier, secp256k1.sign_recoverable(SECRET, document.digest))

    source.sign = repeat
    signed = signer.sign_proposal(proposal)
    assert signed.timestamp_ns == earlier
    assert signer.sign_proposal(at) == signed == signer_of(tmp_path, source).sign_proposal(proposal)
    assert len(source.signed) == 1
    with pytest.raises(DoubleSignRefused):
        signer.sign_proposal(replace(proposal, block_id=BLOCKS[1]))


def test_a_refusal_leaves_the_round_and_not_the_chain(signer, source):
    source.fails = SigningRefused(source.name, "refuses: height regression")
    with pytest.raises(DoubleSignRefused, match="height regression"):
        signer.sign_vote(vote())
    source.fails = None
    assert signer.sign_vote(vote(round_=1)).signature


def test_attack_C45_hub_a_promised_skip_binds_though_its_answer_was_lost(signer, source):
    source.fails = SignerUnavailable(source.name, "gone")
    with pytest.raises(SignerAway):
        signer.sign_skip(STATEMENT)
    assert signer.record.skip.statement == STATEMENT
    with pytest.raises(SkipRefused):
        signer.sign_skip(replace(STATEMENT, block_hash=b"\x77" * 32))
    source.fails = None
    signed = signer.sign_skip(STATEMENT)
    assert secp256k1.verify_low_s(PUBLIC, skip_digest(STATEMENT), signed.signature)
    assert signer.sign_skip(STATEMENT) == signed and len(source.signed) == 2
    assert source.signed[-1] == ConsensusSkip(STATEMENT)


def test_a_source_that_signs_no_skips_promises_none(signer, source, tmp_path):
    stock = signer_of(tmp_path, source, signs_skips=False)
    with pytest.raises(SkipRefused, match="not supported with this signer"):
        stock.sign_skip(STATEMENT)
    assert stock.record.skip is None and not source.signed
    source.fails = DocumentUnsupported(source.name, "signs no consensus-skip")
    with pytest.raises(SkipRefused, match="signs no consensus-skip"):
        signer.sign_skip(STATEMENT)
    assert load_record(tmp_path).skip is None


async def test_within_a_run_the_source_is_asked_there_from_any_thread_and_let_go_of_at_its_end(signer, source):
    tasks, closed = [], []

    async def health() -> SourceHealth:
        tasks.append(trio.lowlevel.current_trio_token())
        return SourceHealth(ready=source.fails is None, detail="as the test says")

    async def aclose() -> None:
        closed.append(len(tasks))

    source.health, source.aclose = health, aclose
    async with signer.source.in_this_run():
        for call in (signer.connect, lambda: run_with_evm_stack(signer.connect)):
            await trio.to_thread.run_sync(call)
        source.fails = SignerUnavailable(source.name, "gone")
        with pytest.raises(SignerAway, match="as the test says"):
            await trio.to_thread.run_sync(signer.connect)
        assert closed == []
    assert set(tasks) == {trio.lowlevel.current_trio_token()} and closed == [3]
    source.fails = None
    # Outside it is a run of its own, which lets go at once.
    await trio.to_thread.run_sync(signer.connect)
    assert tasks[-1] != tasks[0] and closed == [3, 4]
