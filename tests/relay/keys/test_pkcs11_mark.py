"""How far a validator's key signed, on its token as well: two signers with one key, and a home that comes back from a copy."""

from dataclasses import replace

import pytest
import trio
import trio.testing

from hutong.adapters.interface import SignerUnavailable
from hutong.light_clients.tendermint.types import BlockId, SignedMessageType
from hutong.relay.keys.documents import DocumentKind
from hutong.relay.keys.sources.in_memory import KeyInMemory
from hutong.relay.keys.sources.pkcs11.mark import Mark, MarkAhead, MarkedKey, MarkPlace, MarkTaken, parse_mark
from tests.relay.keys.documents import documents
from tests.relay.keys.source_conformance import SourceConformance

KEY = KeyInMemory(bytes(range(1, 33)), "a token")
VOTE = documents(KEY.public_key)[DocumentKind.CONSENSUS_VOTE]
PROPOSAL = documents(KEY.public_key)[DocumentKind.CONSENSUS_PROPOSAL]
START = MarkPlace(0, 0, 0)


class MarksInMemory:
    """What data objects on a token are to those who have its PIN. `lost` calls of `remove` fail, after what came before."""

    def __init__(self):
        self.texts: list[str] = []
        self.lost = 0

    async def there(self):
        await trio.lowlevel.checkpoint()
        return frozenset(self.texts)

    async def put(self, text):
        self.texts.append(text)
        return await self.there()

    async def remove(self, texts):
        await trio.lowlevel.checkpoint()
        if self.lost:
            self.lost -= 1
            raise OSError("lost")
        self.texts = [text for text in self.texts if text not in texts]

    async def aclose(self):
        await trio.lowlevel.checkpoint()


@pytest.fixture
def marks():
    return MarksInMemory()


def signer(marks, recorded=START, content=b""):
    return MarkedKey(KEY, marks, recorded, content)


def after(marks, document):
    """A signer that starts with a record that ends at this vote."""
    return signer(marks, MarkPlace(document.height, document.round, 1 + document.message_type), document.digest)


def vote(height, round_=0, step=SignedMessageType.PRECOMMIT):
    return replace(VOTE, height=height, round=round_, message_type=step)


class TestMarkedKey(SourceConformance):
    expected_key = KEY.public_key

    def documents(self):
        """In the order of their places."""
        return super().documents() | {DocumentKind.CONSENSUS_PROPOSAL: replace(PROPOSAL, height=VOTE.height + 1)}

    @pytest.fixture
    def source(self, marks):
        return signer(marks)


async def test_one_mark_follows_what_is_signed(marks):
    one = signer(marks)
    for document, place in (
        (replace(PROPOSAL, height=7), MarkPlace(7, 0, 1)),
        (vote(7, 0, SignedMessageType.PREVOTE), MarkPlace(7, 0, 2)),
        (vote(7), MarkPlace(7, 0, 3)),
        (vote(7, 1), MarkPlace(7, 1, 3)),
        (vote(7, 1), MarkPlace(7, 1, 3)),
    ):
        await one.sign(document)
        (text,) = marks.texts
        assert parse_mark(text).place == place


async def test_attack_G14_row_29_an_old_copy_of_a_home_is_refused(marks):
    one = signer(marks)
    await one.sign(vote(100))
    before = list(marks.texts)
    old = signer(marks, MarkPlace(90, 0, 3))
    with pytest.raises(MarkAhead, match="up to height 100 round 0 step 3, and this signer's record ends at height 90"):
        await old.claim()
    assert not (await old.health()).ready
    for _ in range(2):
        with pytest.raises(MarkAhead):
            await old.sign(vote(101))
    assert marks.texts == before
    await one.sign(vote(101))
    again = after(marks, vote(101))
    await again.sign(vote(102))
    assert (await again.health()).ready


async def test_attack_G14_row_29_of_two_signers_the_first_is_stopped(marks):
    first = signer(marks)
    await first.sign(vote(100))
    second = after(marks, vote(100))
    await second.claim()
    for document in (vote(101), vote(100), documents(KEY.public_key)[DocumentKind.CONSENSUS_VOTE]):
        with pytest.raises(MarkTaken):
            await first.sign(document)
    assert not (await first.health()).ready
    await second.sign(vote(101))
    assert [parse_mark(text).place.height for text in marks.texts] == [101]


async def test_attack_G14_row_29_at_most_one_of_two_at_once_goes_on(marks):
    """Both start from the same record at the same time, and sign as fast as they can."""
    signed: list[tuple[str, int]] = []

    async def run(name):
        one = after(marks, vote(100))
        for height in range(101, 121):
            try:
                await one.sign(vote(height))
            except (MarkTaken, MarkAhead):
                return
            signed.append((name, height))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, "first")
        nursery.start_soon(run, "second")
    heights = [height for _, height in signed]
    assert len(heights) == len(set(heights)), "no height was signed by both"


async def test_a_mark_that_could_not_be_removed_is_not_anothers(marks):
    one = signer(marks)
    await one.sign(vote(100))
    marks.lost = 1
    with pytest.raises(OSError):
        await one.sign(vote(101))
    await one.sign(vote(101))
    await one.sign(vote(102))
    assert [parse_mark(text).place.height for text in marks.texts] == [102]


def test_what_is_no_mark_is_none():
    for text in (
        "",
        "1/2/3/aa",
        "1/2/x/cc/aa",
        "1/2/3/cc/aa/b",
        "-1/2/3/cc/aa",
        f"{'9' * 20}/0/0/cc/aa",
        "١/0/0/cc/aa",
    ):
        assert parse_mark(text) is None
    mark = Mark(MarkPlace(7, 1, 2), "cc", "aa")
    assert parse_mark(mark.text) == mark


async def test_somebody_elses_object_stops_a_signer(marks):
    one = signer(marks)
    await one.sign(vote(100))
    marks.texts.append("not ours")
    with pytest.raises(MarkTaken):
        await one.sign(vote(101))


async def test_attack_G14_row_29_another_vote_of_one_place_is_refused(marks):
    """Two homes promised two votes of one height and round; the token has the mark of one."""
    one = signer(marks)
    await one.sign(vote(100))
    other = replace(vote(100), block_id=BlockId(b"\x99" * 32, VOTE.block_id.part_set_header))
    with pytest.raises(MarkAhead, match="with something else"):
        await after(marks, other).sign(other)
    again = after(marks, vote(100))
    await again.sign(vote(100))


async def test_attack_G14_row_29_what_lies_before_the_mark_is_given_up(marks):
    one = after(marks, vote(100))
    for late in (vote(100, 0, SignedMessageType.PREVOTE), vote(99), replace(vote(100), timestamp_ns=1)):
        with pytest.raises(SignerUnavailable, match="signs nothing at"):
            await one.sign(late)
    await one.sign(vote(100))
    await one.sign(vote(101))


class MarksOfTwoProcesses(MarksInMemory):
    """The first question is answered late, by a process that is still starting: after a vote's mark was put, which nobody knows yet."""

    def __init__(self):
        super().__init__()
        self.asked = 0
        self.vote_is_put, self.late_is_answered = trio.Event(), trio.Event()

    async def there(self):
        self.asked += 1
        if self.asked == 1:
            with trio.move_on_after(1):
                await self.vote_is_put.wait()
            self.late_is_answered.set()
        return await super().there()

    async def put(self, text):
        self.texts.append(text)
        if not text.startswith("0/"):
            self.vote_is_put.set()
            with trio.move_on_after(1):
                await self.late_is_answered.wait()
            await trio.testing.wait_all_tasks_blocked()
        return frozenset(self.texts)


async def test_a_vote_while_the_token_is_looked_at_is_no_other_signers():
    marks = MarksOfTwoProcesses()
    one = signer(marks)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.health)
        await trio.testing.wait_all_tasks_blocked()
        await one.sign(vote(5))
    assert one.refusal is None
    await one.sign(vote(6))
