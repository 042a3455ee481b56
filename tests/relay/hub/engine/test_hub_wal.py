"""The write-ahead log: its bytes, its torn end, its damage, and what a validator does with it after a crash."""

from dataclasses import replace
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.tendermint.types import BlockId, PartSetHeader
from hutong.relay.hub.consensus import event_codec
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.event_codec import MARKER, LogContent, LogDamaged, decode_log, encode_frame
from hutong.relay.hub.consensus.replay import resume
from hutong.relay.hub.consensus.round_state import RoundState
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned
from hutong.relay.hub.consensus.transition import step
from hutong.relay.hub.consensus.types import (
    NIL,
    BlockPrepared,
    HeightStarted,
    PrepareBlock,
    ScheduleTimeout,
    SignProposal,
    SignVote,
    Step,
    TimeoutElapsed,
    Vote,
    VoteReceived,
)
from hutong.relay.hub.engine import wal
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.wal import WAL_FILE, WriteAheadLog
from hutong.relay.hub.home.home import LAST_SIGNED_FILE, UnusableHome, validator_key
from hutong.relay.hub.home.last_signed import encode_last_signed
from tests.relay.hub.consensus.consensus_table import PRECOMMIT, PREVOTE, Table
from tests.relay.hub.simulation.validator import CHAIN_ID


def one_of_each():
    table = Table()
    block = table.block(b"x")
    return [
        HeightStarted(1, table.validators, table.tip.time_ns, table.now_ns, 3),
        TimeoutElapsed(1, 3, Step.NEW_HEIGHT, table.now_ns),
        BlockPrepared(1, 3, block, block_id_of(block), table.now_ns),
        table.proposal(block, 3, 2, accepted=False),
        table.content(block),
        VoteReceived(table.vote(table.others[0], PRECOMMIT, 3, NIL), table.now_ns),
    ]


def test_every_event_comes_back_as_it_was():
    events = one_of_each()
    content = decode_log(b"".join(map(encode_frame, events)))
    assert content.events == tuple(events)


@settings(max_examples=50)
@given(st.integers(1, 2), st.integers(0, 2**40), st.integers(0, 10_000), st.binary(max_size=64), st.booleans())
def test_votes_come_back_as_they_were(kind, height, round_, signature, nil):
    block_id = NIL if nil else BlockId(bytes(32), PartSetHeader(1, b"\x01" * 32))
    vote = Vote(kind, height, round_, block_id, -5, 3, b"\x02" * 20, signature)
    assert decode_log(encode_frame(VoteReceived(vote, 7))).events == (VoteReceived(vote, 7),)


@given(st.binary(max_size=300), st.booleans())
def test_attack_H_hub_log_decoder_is_total(data, marked):
    data = MARKER + data if marked else data
    try:
        content = decode_log(data)
    except LogDamaged:
        return
    assert b"".join(map(encode_frame, content.events)) == data[: content.whole_bytes]


def test_a_log_cut_anywhere_keeps_its_whole_events_and_goes_on(tmp_path):
    events = one_of_each()
    frames = [encode_frame(event) for event in events]
    whole = b"".join(frames)
    for cut in range(len(whole)):
        content = decode_log(whole[:cut])
        kept = len(content.events)
        assert content.events == tuple(events[:kept])
        assert content.whole_bytes == sum(map(len, frames[:kept])) <= cut
        assert cut < content.whole_bytes + len(frames[kept])
    (tmp_path / WAL_FILE).write_bytes(whole[:-5])
    log = WriteAheadLog(tmp_path)
    log.append(events[-1])
    log.close()
    assert (tmp_path / WAL_FILE).read_bytes() == whole


def test_damage_before_the_end_is_refused_with_its_place(tmp_path):
    frames = [encode_frame(event) for event in one_of_each()]
    whole = b"".join(frames)
    last = len(whole) - len(frames[-1])
    for position in range(last):
        damaged = bytearray(whole)
        damaged[position] ^= 0x40
        with pytest.raises(LogDamaged) as refused:
            decode_log(bytes(damaged))
        assert refused.value.offset <= position
    (tmp_path / WAL_FILE).write_bytes(whole[:40] + b"\x00" + whole[41:])
    with pytest.raises(UnusableHome, match=r"consensus\.wal: damaged at byte 0: .*move it away"):
        WriteAheadLog(tmp_path)


@pytest.mark.parametrize("inner", ["frame", "markers", "stems"])
def test_attack_C45_hub_a_torn_write_that_holds_whole_frames_is_cut_off(tmp_path, inner):
    """A transaction may hold anything: also what looks like the log's own bytes."""
    events = one_of_each()
    fake = {"frame": b"".join(map(encode_frame, events)), "markers": MARKER * 64, "stems": MARKER[:-1] * 64}[inner]
    table = Table()
    block = table.block(fake)
    torn = BlockPrepared(1, 0, block, block_id_of(block), table.now_ns)
    first, last = encode_frame(events[0]), encode_frame(torn)
    assert decode_log(first + last).events == (events[0], torn)
    for cut in range(len(last)):
        assert decode_log(first + last[:cut]) == LogContent((events[0],), len(first))
    (tmp_path / WAL_FILE).write_bytes(first + last[:-1])
    log = WriteAheadLog(tmp_path)
    log.append(torn)
    log.close()
    assert (tmp_path / WAL_FILE).read_bytes() == first + last


def test_a_torn_end_full_of_markers_is_looked_through_once(monkeypatch):
    looked = 0

    def counted(data) -> int:
        nonlocal looked
        looked += len(data)
        return crc32(data)

    monkeypatch.setattr(event_codec, "crc32", counted)
    head = encode_frame(one_of_each()[1])
    junk = (MARKER + (200_000).to_bytes(4, "big") + bytes(4)) * 20_000
    assert decode_log(head + junk).whole_bytes == len(head)
    assert looked <= 2 * len(junk)


def test_a_log_from_before_stuffing_is_read(tmp_path):
    """As the first version wrote it."""
    table = Table()
    event = BlockPrepared(1, 0, block := table.block(b"hwa! and hwa"), block_id_of(block), table.now_ns)
    old = encode_frame(event).replace(b"hwa\x00", b"hwa")
    assert old != encode_frame(event)
    assert decode_log(old * 2).events == (event, event)


def test_only_the_events_since_the_height_began_are_replayed(tmp_path):
    events = one_of_each()
    log = WriteAheadLog(tmp_path)
    for event in (*events, replace(events[0], height=2), replace(events[1], height=2)):
        log.append(event)
    log.sync()
    log.close()
    again = WriteAheadLog(tmp_path)
    assert [type(event) for event in again.replay(2)] == [HeightStarted, TimeoutElapsed]
    assert again.replay(1) == again.replay(3) == ()
    again.close()


def test_a_long_log_is_begun_anew_with_a_height(tmp_path, monkeypatch):
    monkeypatch.setattr(wal, "PRUNE_AT_BYTES", 100)
    events = one_of_each()
    log = WriteAheadLog(tmp_path)
    for event in events:
        log.append(event)
    log.append(replace(events[0], height=2))
    log.close()
    assert decode_log((tmp_path / WAL_FILE).read_bytes()).events == (replace(events[0], height=2),)


# --- a validator over its disk


class LoggedValidator:
    """The table's validator with a real log and a real record, as the driver uses them."""

    def __init__(self, table: Table, home) -> None:
        self.table = table
        self.log = WriteAheadLog(home)
        self.signer = FileSigner(home, validator_key(table.secrets[table.me]), CHAIN_ID)
        self.votes: list[Vote] = []
        self.timers: list[ScheduleTimeout] = []
        before = RoundState(CHAIN_ID, table.me, 0, table.validators, table.tip.time_ns)
        resumed = resume(before, self.log.replay(1), self.signer.record)
        self.signs = resumed.signs
        self.state = resumed.state if resumed.signs else replace(before, own_address=None)
        for effect in resumed.effects if resumed.signs else ():
            self.carry_out(effect)
        if self.state.height == 0:
            self.feed(HeightStarted(1, table.validators, table.tip.time_ns, table.now_ns))
            self.feed(TimeoutElapsed(1, 0, Step.NEW_HEIGHT, table.now_ns))

    def feed(self, event) -> None:
        before = self.state
        self.state, effects = step(before, event)
        if self.signs and (effects or self.state is not before):
            self.log.append(event)
        for effect in effects:
            self.carry_out(effect)

    def carry_out(self, effect) -> None:
        match effect:
            case SignVote():
                self.log.sync()
                vote = self.signer.sign_vote(effect.vote)
                self.votes.append(vote)
                self.feed(VoteReceived(vote, self.table.now_ns))
            case ScheduleTimeout():
                self.timers.append(effect)

    def timeout(self, at: Step) -> None:
        self.feed(TimeoutElapsed(1, self.state.round, at, self.table.now_ns))

    def lock(self, block) -> None:
        """Prevotes and precommits `block` in round 0, and goes on to round 1."""
        table = self.table
        self.feed(table.proposal(block, 0))
        for address in table.others[:2]:
            self.feed(VoteReceived(table.vote(address, PREVOTE, 0, block_id_of(block)), table.now_ns))
        for address in table.others[:2]:
            self.feed(VoteReceived(table.vote(address, PRECOMMIT, 0, NIL), table.now_ns))
        self.timeout(Step.PRECOMMIT)


def home_of(path, log: bytes, record: bytes):
    path.mkdir()
    (path / WAL_FILE).write_bytes(log)
    (path / LAST_SIGNED_FILE).write_bytes(record)
    return path


def test_attack_C45_hub_a_lock_outlives_a_crash_at_every_byte_of_the_log(tmp_path):
    table = Table()
    block, other = table.block(b"x"), table.block(b"y", 1)
    first = LoggedValidator(table, home_of(tmp_path / "first", b"", encode_last_signed(LastSigned())))
    first.lock(block)
    precommit = next(vote for vote in first.votes if vote.message_type is PRECOMMIT)
    assert precommit.block_id == block_id_of(block)
    assert first.state.round == 1
    first.log.close()
    log = (tmp_path / "first" / WAL_FILE).read_bytes()
    record = (tmp_path / "first" / LAST_SIGNED_FILE).read_bytes()
    ends = [0]
    for event in decode_log(log).events:
        ends.append(ends[-1] + len(encode_frame(event)))
    # The polka is on disk since the precommit; everything after it may be lost.
    synced = ends[[type(event) for event in decode_log(log).events].index(VoteReceived) + 3]
    answers = set()
    for cut in range(len(log) + 1):
        if cut not in ends and cut % 37:
            continue
        again = LoggedValidator(table, home_of(tmp_path / str(cut), log[:cut], record))
        if again.state.round == 0:
            again.timeout(Step.PRECOMMIT)
        for address in table.others[:2]:
            again.feed(VoteReceived(table.vote(address, PREVOTE, 1, NIL), table.now_ns))
        again.feed(table.proposal(other, 1))
        again.log.close()
        prevotes = [vote.block_id for vote in again.votes if (vote.round, vote.message_type) == (1, PREVOTE)]
        assert block_id_of(other) not in prevotes, cut
        for vote in again.votes:
            assert vote.round > 0 or vote in first.votes
        answers.add((cut >= synced, again.signs, tuple(prevotes)))
    assert (True, True, (NIL,)) in answers
    assert (False, False, ()) in answers


def test_without_its_log_a_validator_that_signed_listens_until_the_height_is_over(tmp_path):
    table = Table()
    first = LoggedValidator(table, home_of(tmp_path / "first", b"", encode_last_signed(LastSigned())))
    first.lock(table.block(b"x"))
    record = first.signer.record
    assert record.height == 1
    state = RoundState(CHAIN_ID, table.me, 0, table.validators, table.tip.time_ns)
    assert not resume(state, (), record).signs
    assert resume(replace(state, height=1), (), record).signs
    assert resume(state, (), LastSigned()).signs


def test_what_was_done_is_not_due_again_and_what_was_not_is(tmp_path):
    table = Table()
    state = RoundState(CHAIN_ID, table.me, 0, table.validators, table.tip.time_ns)
    started = HeightStarted(1, table.validators, table.tip.time_ns, table.now_ns, 3)
    interval_over = TimeoutElapsed(1, 3, Step.NEW_HEIGHT, table.now_ns)
    block = table.block(b"x", 3)
    prepared = BlockPrepared(1, 3, block, block_id_of(block), table.now_ns)
    proposal = table.proposal(block, 3)

    def due(*events):
        return [type(effect) for effect in resume(state, events, LastSigned()).effects]

    assert due(started) == [ScheduleTimeout]
    assert due(started, interval_over) == [ScheduleTimeout, PrepareBlock]
    assert due(started, interval_over, prepared) == [ScheduleTimeout, SignProposal]
    assert due(started, interval_over, prepared, proposal) == [ScheduleTimeout, SignVote]
    own = VoteReceived(table.vote(table.me, PREVOTE, 3, block_id_of(block)), table.now_ns)
    assert due(started, interval_over, prepared, proposal, own) == [ScheduleTimeout]


def test_a_signature_made_before_the_crash_is_given_again_and_no_other(tmp_path):
    table = Table()
    block = table.block(b"x")
    home = home_of(tmp_path / "first", b"", encode_last_signed(LastSigned()))
    first = LoggedValidator(table, home)
    first.feed(table.proposal(block, 0))
    [prevote] = first.votes
    log = (home / WAL_FILE).read_bytes()
    own_vote = encode_frame(VoteReceived(prevote, table.now_ns))
    assert log.endswith(own_vote)
    (home / WAL_FILE).write_bytes(log.removesuffix(own_vote))
    table.now_ns += 10**9
    again = LoggedValidator(table, home)
    assert again.votes == [prevote]
    with pytest.raises(DoubleSignRefused):
        again.signer.sign_vote(replace(prevote, block_id=NIL))
