"""Participants that are known and hostile: what one of them does ends no process of another's, and no connector."""

from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256

import httpx
import pytest
import trio

from hutong.relay.services.directory.dspace.catalogue import Offering, catalogue_of
from hutong.relay.services.directory.dspace.connector import MAX_OPEN, Asked, Busy, Connector, Refused, Unknown
from hutong.relay.services.directory.dspace.courier import ANSWER_LIMIT_S, AT_ONCE_OF_ONE, Courier, Patience
from hutong.relay.services.directory.dspace.daemon import no_cookies
from hutong.relay.services.directory.dspace.participants import Participant, Participants
from hutong.relay.services.directory.dspace.process import HeldAgreement, Process
from hutong.relay.services.directory.dspace.settings import ParticipantTable
from hutong.relay.services.directory.dspace.store import open_store
from hutong.relay.services.directory.rules.dspace.messages import Message
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State
from hutong.relay.services.directory.rules.dspace.writing import encode
from hutong.relay.services.directory.rules.dspace.writing import process as process_shown
from tests.relay.services.directory.dspace.two_connectors import DATASET, LAB, OFFER, OWNER, TRAFFIC

pytestmark = pytest.mark.trio
NOW_MS = 1_796_000_000_000
PERMISSION = DATASET["hasPolicy"][0]["permission"]
ASKED = {"@id": OFFER, "@type": "Offer", "target": TRAFFIC, "permission": PERMISSION}
CITY = "did:web:city.example"
LAB_AT = Participant(LAB, "https://lab.example/dsp", "", "")
CITY_AT = Participant(CITY, "https://city.example/dsp", "", "")


def agreed(assigner, name="urn:a:1"):
    said = {"assigner": assigner, "assignee": OWNER, "timestamp": "2026-12-01T00:00:00Z"}
    return {**ASKED, **said, "@id": name, "@type": "Agreement"}


@pytest.fixture
def connector():
    catalogue = catalogue_of({TRAFFIC: DATASET}, Offering(OWNER, "https://owner.example/dsp", 10))
    return Connector(OWNER, "https://owner.example/dsp", lambda: catalogue, lambda: NOW_MS)


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path) as opened:
        yield opened


def tables(home):
    for one in (LAB_AT, CITY_AT):
        file = home / f"{one.id.rpartition(':')[2]}.token"
        file.write_text("a-token-of-many-characters")
        file.chmod(0o600)
        digest = f"sha256:{sha256(one.id.encode()).hexdigest()}"
        yield ParticipantTable(id=one.id, url=one.url, token_digest=digest, token_file=file)


@asynccontextmanager
async def delivering(store, home, answer, told, answer_limit_s=ANSWER_LIMIT_S):
    """The outbox is on its way while the block lasts; `answer` stands for every counterparty."""
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer), cookies=no_cookies()) as client,
        trio.open_nursery() as nursery,
    ):
        courier = Courier(
            store, Participants(tuple(tables(home))), client, lambda: NOW_MS, Patience(10**9, answer_limit_s), told
        )
        nursery.start_soon(courier.run)
        with trio.fail_after(300):
            yield
        nursery.cancel_scope.cancel()


def answered(provider_pid, headers=()):
    shown = encode(process_shown("", provider_pid, State.REQUESTED, is_transfer=False))
    return httpx.Response(201, stream=httpx.ByteStream(shown), headers=list(headers))


def request(connector, provider):
    return lambda rows: connector.request(rows, provider, provider.url, ASKED)


async def test_attack_R15_a_provider_that_gives_two_processes_one_name_ends_the_second_alone(
    connector, store, tmp_path
):
    first, second = [await store.run(request(connector, LAB_AT)) for _ in range(2)]
    send, delivered = trio.open_memory_channel(9)

    def answer(asked):
        return answered("urn:p:1")

    async with delivering(store, tmp_path, answer, send.send_nowait):
        assert [await delivered.receive() for _ in range(2)] == ["delivered", "delivered"]
    one, other = [await store.run(lambda rows, pid=pid: rows.process(pid)) for pid in (first.pid, second.pid)]
    assert {one.state, other.state} == {State.REQUESTED, State.TERMINATED}
    ended = one if one.state is State.TERMINATED else other
    assert "names another process" in ended.note

    third = await store.run(request(connector, LAB_AT))
    message = Message(Kind.AGREEMENT, third.pid, "urn:p:1", agreement=agreed(LAB))
    with pytest.raises(Refused) as refused:
        await store.run(lambda rows: connector.receive(rows, LAB_AT, message, third.pid))
    assert refused.value.rule == "identifiers_are_used_once"
    message = replace(message, provider_pid="urn:p:3")
    taken = await store.run(lambda rows: connector.receive(rows, LAB_AT, message, third.pid))
    assert (taken.state, taken.judged) == (State.AGREED, None)


async def test_attack_R15_messages_of_transfers_move_no_negotiation_and_the_reverse(connector, store):
    negotiation = await store.run(request(connector, LAB_AT))
    held = HeldAgreement("urn:a:0", Role.CONSUMER, LAB, agreed(LAB, "urn:a:0"), None)
    await store.run(lambda rows: rows.put_agreement(held))
    transfer = await store.run(lambda rows: connector.request_transfer(rows, LAB_AT, LAB_AT.url, "urn:a:0", "HTTP"))
    for process, message in (
        (negotiation, Message(Kind.TRANSFER_START, negotiation.pid, "urn:p:1")),
        (negotiation, Message(Kind.TRANSFER_TERMINATION, negotiation.pid, "urn:p:1")),
        (transfer, Message(Kind.AGREEMENT, transfer.pid, "urn:p:2", agreement=agreed(LAB))),
        (transfer, Message(Kind.OFFER, transfer.pid, "urn:p:2", offer=ASKED)),
        (transfer, Message(Kind.TERMINATION, transfer.pid, "urn:p:2")),
    ):
        with pytest.raises(Unknown):
            await store.run(lambda rows, said=(message, process.pid): connector.receive(rows, LAB_AT, *said))
        kept = await store.run(lambda rows, pid=process.pid: rows.process(pid))
        assert (kept.state, kept.agreement_id) == (State.REQUESTED, process.agreement_id)


async def test_attack_R15_an_agreement_takes_the_name_of_no_other(connector, store):
    """The city names the agreement that the lab's negotiation is about to end with, and ends first."""
    mine, other = [await store.run(request(connector, one)) for one in (LAB_AT, CITY_AT)]

    async def told(sender, process, message):
        return await store.run(lambda rows: connector.receive(rows, sender, message, process.pid))

    await told(LAB_AT, mine, Message(Kind.AGREEMENT, mine.pid, "urn:p:1", agreement=agreed(LAB)))
    with pytest.raises(Refused) as refused:
        await told(CITY_AT, other, Message(Kind.AGREEMENT, other.pid, "urn:p:1", agreement=agreed(CITY)))
    assert refused.value.rule == "agreements_have_names_of_their_own"
    await store.run(lambda rows: connector.step(rows, mine.pid, Kind.VERIFICATION, Asked()))
    # One of this name is brought in meanwhile: what stands is not written over.
    brought = HeldAgreement("urn:a:1", Role.CONSUMER, CITY, agreed(CITY), None)
    await store.run(lambda rows: rows.put_agreement(brought))
    with pytest.raises(Refused):
        await told(LAB_AT, mine, Message(Kind.FINALIZED, mine.pid, "urn:p:1"))
    assert await store.run(lambda rows: rows.agreement("urn:a:1")) == brought


async def test_attack_R16_a_participant_that_answers_slowly_keeps_no_messages_of_others_back(
    connector, store, tmp_path
):
    for _ in range(8 * AT_ONCE_OF_ONE):
        await store.run(request(connector, LAB_AT))
    await store.run(request(connector, CITY_AT))
    slow, came = set(), trio.Event()

    async def answer(asked):
        if asked.url.host == "city.example":
            came.set()
            return answered("urn:p:1")
        slow.add(asked)
        assert len(slow) <= AT_ONCE_OF_ONE
        await trio.sleep_forever()
        return None

    async with delivering(store, tmp_path, answer, lambda outcome: None):
        await came.wait()


async def test_attack_R16_an_answer_that_does_not_end_is_none(connector, store, tmp_path):
    await store.run(request(connector, LAB_AT))
    send, told = trio.open_memory_channel(9)

    async def answer(asked):
        async def trickled():
            yield b"{"
            await trio.sleep_forever()

        return httpx.Response(201, content=trickled())

    async with delivering(store, tmp_path, answer, send.send_nowait, answer_limit_s=0.05):
        assert await told.receive() == "later"


async def test_attack_R16_cookies_of_one_participant_are_shown_to_no_other(connector, store, tmp_path):
    for one in (LAB_AT, CITY_AT):
        await store.run(request(connector, one))
    send, told = trio.open_memory_channel(9)
    shown = []

    def answer(asked):
        shown.append(asked.headers.get("cookie"))
        cookies = [("set-cookie", f"{number}={'x' * 2_000}; Path=/; Domain=.example") for number in range(4)]
        return answered(f"urn:p:{len(shown)}", [*cookies, ("set-cookie", "own=1; Path=/")])

    async with delivering(store, tmp_path, answer, send.send_nowait):
        assert [await told.receive() for _ in range(2)] == ["delivered", "delivered"]
        await store.run(request(connector, LAB_AT))
        assert await told.receive() == "delivered"
    assert shown == [None] * 3


async def test_attack_R16_a_participant_has_a_bound_of_open_processes(connector, store):
    first = Message(Kind.REQUEST, "urn:c:1", None, callback=LAB_AT.url, offer=ASKED)

    def fill(rows):
        for number in range(MAX_OPEN):
            theirs = f"urn:c:{number}"
            rows.put(Process(f"urn:{number}", False, Role.PROVIDER, CITY, State.AGREED, CITY_AT.url, theirs))

    await store.run(fill)
    for theirs in ("urn:c:a", "urn:c:b"):
        begun = replace(first, consumer_pid=theirs, callback=CITY_AT.url)
        with pytest.raises(Busy):
            await store.run(lambda rows, begun=begun: connector.receive(rows, CITY_AT, begun, None))
    taken = await store.run(lambda rows: connector.receive(rows, LAB_AT, first, None))
    assert taken.state is State.REQUESTED
    await store.run(lambda rows: rows.put(rows.process("urn:0").at(State.TERMINATED)))
    begun = replace(first, callback=CITY_AT.url, consumer_pid="urn:c:a")
    assert (await store.run(lambda rows: connector.receive(rows, CITY_AT, begun, None))).state is State.REQUESTED
