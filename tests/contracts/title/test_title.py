"""Title between two and three chains: who holds it, what it carries, how it comes home, and what nobody else can do."""

import re
from pathlib import Path

import pytest

from hutong.light_clients.ibc.abi import ABI_ENCODING, packet_to_tuple
from hutong.light_clients.ibc.commitment import commitment_key
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    OriginStamp,
    StampedPayload,
    decode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Payload
from tests.contracts.evm import Reverted
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, Lane
from tests.contracts.test_router_packets import refused
from tests.contracts.title.title_city import (
    ALICE,
    AWAY,
    BOB,
    COUNTERS,
    ISSUER,
    LEAVING,
    LENDER,
    LIVE,
    LOCAL_ID,
    MILEAGE,
    NONE,
    REFILLS,
    RETIRED,
    RETURNED,
    STRANGER,
    TITLE_PORT,
    TITLE_VERSION,
    TitleCity,
    client_of,
    deploy_title,
    encode_move,
    pack_counters,
    text,
    title_id,
)

TO_A, TO_B = client_of("B", "A"), client_of("A", "B")
SPEC = Path(__file__).resolve().parents[3] / "docs" / "spec" / "titles.md"
GAS_BOUNDS = {"mint": 500_000, "move": 450_000, "receive": 900_000, "acknowledge": 350_000, "move home": 450_000}


@pytest.fixture
def city():
    return TitleCity("AB")


def at_b(city) -> bytes:
    """The vehicle's name at B."""
    return title_id(city["B"].links["A"].client_id)


def test_title_moves_and_comes_home_with_its_counters(city):
    home, away = city["A"].mint(), at_b(city)
    assert home == title_id() and city["A"].holder(home) == ALICE
    sent = city.move("A", "B", home)
    assert city["A"].state(home) == LEAVING
    refused(lambda: city["A"].title.transact("transfer", home, BOB, sender=ALICE), "NotLive")
    city.deliver(sent)
    city.settle(sent)
    assert (city["A"].state(home), city["B"].state(away)) == (AWAY, LIVE)
    assert city["A"].title.call("custodyOf", TO_B)[0] == 1
    assert city["B"].of(away)["counters"] == COUNTERS
    city["B"].title.transact("advance", away, MILEAGE, 1500, sender=BOB)
    city["B"].title.transact("transfer", away, STRANGER, sender=BOB)
    city.carry("B", "A", away, receiver=text(ALICE))
    assert (city["A"].state(home), city["B"].state(away)) == (LIVE, RETURNED)
    assert city["A"].holder(home) == ALICE
    assert {name: value for name, _, value in city["A"].of(home)["counters"]}[MILEAGE] == 1500
    assert city["A"].title.call("custodyOf", TO_B)[0] == 0
    city.carry("A", "B", home)
    assert city["B"].holder(away) == BOB


def test_title_over_three_chains_goes_home_by_the_way_it_came():
    city = TitleCity("ABC")
    home = city["A"].mint()
    city.carry("A", "B", home)
    hop_b = city["B"].links["A"].client_id
    city.carry("B", "C", title_id(hop_b))
    at_c = title_id(f"{city['C'].links['B'].client_id}/{hop_b}")
    assert (city["A"].state(home), city["B"].state(title_id(hop_b)), city["C"].state(at_c)) == (AWAY, AWAY, LIVE)
    # straight to A it arrives as a title of elsewhere: A's own stays in the custody of B
    city.carry("C", "A", at_c)
    assert city["A"].state(home) == AWAY and city["C"].state(at_c) == AWAY
    foreign = title_id(f"{city['A'].links['C'].client_id}/{city['C'].links['B'].client_id}/{hop_b}")
    assert city["A"].holder(foreign) == BOB
    city.carry("A", "C", foreign)
    city.carry("C", "B", at_c)
    city.carry("B", "A", title_id(hop_b), receiver=text(ALICE))
    assert city["A"].holder(home) == ALICE


@pytest.mark.parametrize("end", ["refused", "timed out"])
def test_refusal_and_timeout_give_the_title_back(city, end):
    home = city["A"].mint()
    sent = city.move("A", "B", home, receiver="nobody" if end == "refused" else text(BOB))
    if end == "refused":
        city.deliver(sent)
        assert sent.acknowledgement == ERROR_ACKNOWLEDGEMENT
        outcome = city.settle(sent)
    else:
        outcome = city.expire(sent)
    (undone,) = outcome.named("MoveUndone")
    assert undone["timedOut"] == (end == "timed out")
    assert city["A"].holder(home) == ALICE and city["B"].state(at_b(city)) == NONE
    assert city["A"].title.call("custodyOf", TO_B)[0] == 0
    city.carry("A", "B", home)
    assert city["B"].holder(at_b(city)) == BOB


def test_attack_F13_contract_title_is_live_once_when_moves_and_settlements_cross(city):
    home, away = city["A"].mint(), at_b(city)
    out = city.move("A", "B", home)
    city.deliver(out)
    back = city.move("B", "A", away, receiver=text(ALICE))
    city.deliver(back)
    assert city["A"].holder(home) == ALICE
    again = city.move("A", "B", home)
    city.settle(out)
    assert city["A"].state(home) == LEAVING
    city.deliver(again)
    city.settle(back)
    assert city["B"].holder(away) == BOB
    city.settle(again)
    assert (city["A"].state(home), city["B"].state(away)) == (AWAY, LIVE)
    for sent in (out, again):
        assert city.deliver(sent).named("Noop") and city.settle(sent).named("Noop")
    assert city["A"].state(home) == AWAY


def test_attack_F13_contract_timeout_by_lying_attestors_makes_no_second_title_here(city):
    """B took the title, sent it home, and then pretends never to have had it."""
    home = city["A"].mint()
    out = city.move("A", "B", home)
    city.deliver(out)
    city.carry("B", "A", at_b(city), receiver=text(STRANGER))
    assert not city.expire(out, lie=True).named("MoveUndone")
    assert city["A"].holder(home) == STRANGER
    # and the other way round: once given back, nothing is in custody
    out = city.move("A", "B", home)
    assert city.expire(out, lie=True).named("MoveUndone")
    forged = city.forge("B", "A", encode_move(home=True))
    city.deliver(forged, lie=True)
    assert forged.acknowledgement == ERROR_ACKNOWLEDGEMENT and city["A"].holder(home) == STRANGER


def test_attack_F14_contract_only_the_route_that_was_sent_a_title_brings_it_home():
    city = TitleCity("ABC")
    home = city["A"].mint()
    for holder in ("nobody", "B"):
        forged = city.forge("C", "A", encode_move(home=True), sequence=70 + len(holder))
        reason = city.deliver(forged, lie=True).named("IBCAppRecvPacketCallbackError")[0]["reason"]
        assert Reverted.of(reason, 0).name == "NotInCustody"
        assert forged.acknowledgement == ERROR_ACKNOWLEDGEMENT
        if holder == "nobody":
            city.carry("A", "B", home)
    honest = city.forge("B", "A", encode_move(home=True, receiver=text(ALICE)))
    city.deliver(honest, lie=True)
    assert city["A"].holder(home) == ALICE


def test_attack_F14_contract_lying_chain_sends_a_title_twice(city):
    """The first stays; what a chain says in another port's name, or of a title that is further on, is refused."""
    away = at_b(city)
    for sequence, port in ((1, "app.port"), (2, TITLE_PORT), (3, TITLE_PORT)):
        forged = city.forge(
            "A", "B", encode_move(receiver=text(STRANGER) if sequence == 3 else text(BOB)), sequence, port
        )
        city.deliver(forged, lie=True)
        assert (forged.acknowledgement == ERROR_ACKNOWLEDGEMENT) == (sequence != 2)
    assert city["B"].holder(away) == BOB
    city["B"].title.transact("retire", away, sender=BOB)
    forged = city.forge("A", "B", encode_move(), 4)
    city.deliver(forged, lie=True)
    assert forged.acknowledgement == ERROR_ACKNOWLEDGEMENT and city["B"].state(away) == RETIRED


@pytest.mark.parametrize(
    "changes",
    [
        {"counters": pack_counters(((MILEAGE, False, 999), (REFILLS, True, 3)))},
        {"counters": pack_counters(((MILEAGE, False, 1000), (REFILLS, True, 4)))},
        {"counters": pack_counters(((MILEAGE, True, 1000), (REFILLS, True, 3)))},
        {"counters": pack_counters(COUNTERS[:1])},
        {"counters": pack_counters((COUNTERS[1], COUNTERS[0]))},
        {"content": bytes(32)},
    ],
)
def test_attack_F15_contract_title_comes_home_no_younger_than_it_left(city, changes):
    home = city["A"].mint()
    city.carry("A", "B", home)
    forged = city.forge("B", "A", encode_move(home=True, **changes))
    city.deliver(forged, lie=True)
    assert forged.acknowledgement == ERROR_ACKNOWLEDGEMENT and city["A"].state(home) == AWAY
    honest = city.forge("B", "A", encode_move(home=True), sequence=78)
    city.deliver(honest, lie=True)
    assert city["A"].holder(home) == BOB


def test_attack_F15_contract_lien_blocks_sale_move_and_end_until_its_holder_lets_go(city):
    title, home = city["A"].title, city["A"].mint()
    title.transact("pledge", home, LENDER, sender=ALICE)
    for action in (
        lambda: title.transact("transfer", home, BOB, sender=ALICE),
        lambda: city.move("A", "B", home),
        lambda: title.transact("retire", home, sender=ALICE),
        lambda: title.transact("pledge", home, BOB, sender=ALICE),
    ):
        refused(action, "UnderLien")
    refused(lambda: title.transact("releaseLien", home, sender=ALICE), "OnlyLienHolder")
    title.transact("advance", home, MILEAGE, 1001, sender=ALICE)
    title.transact("releaseLien", home, sender=LENDER)
    refused(lambda: title.transact("releaseLien", home, sender=LENDER), "OnlyLienHolder")
    city.carry("A", "B", home)
    assert city["B"].holder(at_b(city)) == BOB


def test_attack_F15_contract_counters_go_one_way_by_whom_the_holder_named(city):
    title, home = city["A"].title, city["A"].mint()
    refused(lambda: title.transact("advance", home, MILEAGE, 2000, sender=STRANGER), "OnlyRecorder")
    refused(lambda: title.transact("setRecorder", home, STRANGER, sender=STRANGER), "OnlyHolder")
    title.transact("setRecorder", home, STRANGER, sender=ALICE)
    title.transact("advance", home, MILEAGE, 2000, sender=STRANGER)
    for value in (2000, 1999):
        refused(lambda value=value: title.transact("advance", home, MILEAGE, value, sender=STRANGER), "CounterWentBack")
    for value in (2, 1, 0):
        title.transact("advance", home, REFILLS, value, sender=STRANGER)
        refused(lambda value=value: title.transact("advance", home, REFILLS, value, sender=ALICE), "CounterWentBack")
    refused(lambda: title.transact("advance", home, bytes(32), 1, sender=ALICE), "UnknownCounter")
    title.transact("transfer", home, BOB, sender=ALICE)
    refused(lambda: title.transact("advance", home, MILEAGE, 3000, sender=STRANGER), "OnlyRecorder")


def test_attack_F15_contract_retired_is_for_good_and_made_once(city):
    title, home = city["A"].title, city["A"].mint()
    refused(city["A"].mint, "TitleExists")
    refused(lambda: title.transact("retire", home, sender=STRANGER), "OnlyHolder")
    title.transact("retire", home, sender=ALICE)
    for action in (
        lambda: title.transact("transfer", home, BOB, sender=ALICE),
        lambda: city.move("A", "B", home, sender=ALICE),
        lambda: title.transact("retire", home, sender=ALICE),
        lambda: title.transact("advance", home, MILEAGE, 2000, sender=ALICE),
    ):
        refused(action, "NotLive")
    refused(city["A"].mint, "TitleExists")
    # another issuer's title of the same local name is another title
    other = title.transact("mint", LOCAL_ID, BOB, bytes(32), (), sender=STRANGER).value
    assert other == title_id(issuer=STRANGER) != home and city["A"].holder(other) == BOB


@pytest.mark.parametrize("state", [LEAVING, AWAY])
def test_attack_F16_contract_title_behind_a_frozen_client_is_stuck_named_and_never_made_anew(city, state):
    title, home = city["A"].title, city["A"].mint()
    out = city.move("A", "B", home)
    if state == AWAY:
        city.deliver(out)
        city.settle(out)
    assert title.call("stuckAt", home) == (False, TO_B)
    city.freeze("A", "B")
    assert title.call("stuckAt", home) == (True, TO_B)
    refused(city["A"].mint, "TitleExists")
    with pytest.raises(Reverted):
        city.expire(out) if state == LEAVING else city.deliver(city.forge("B", "A", encode_move(home=True)), lie=True)
    assert city["A"].state(home) == state
    for other in (ALICE, ISSUER):
        refused(lambda other=other: title.transact("transfer", home, other, sender=other), "NotLive")
    city.recover("A", "B")
    if state == LEAVING:
        city.expire(out)
        assert city["A"].holder(home) == ALICE
    else:
        city.carry("B", "A", at_b(city), receiver=text(ALICE))
        assert city["A"].holder(home) == ALICE


def test_attack_E20_contract_pause_stops_moves_and_settlements_and_loses_nothing(city):
    title, home = city["A"].title, city["A"].mint()
    sent = city.move("A", "B", home)
    refused(lambda: title.transact("pause", sender=STRANGER), "AccessManagedUnauthorized")
    city["B"].title.transact("pause")
    refused(lambda: city.deliver(sent), "IBCFailedCallback")
    city["B"].title.transact("unpause")
    city.deliver(sent)
    title.transact("pause")
    refused(lambda: city.settle(sent), "EnforcedPause")
    refused(lambda: city.move("A", "B", city["A"].mint(local_id=bytes(32))), "EnforcedPause")
    title.transact("unpause")
    city.settle(sent)
    assert city["A"].state(home) == AWAY


def test_attack_E19_contract_custody_of_a_client_has_a_limit(city):
    title, first = city["A"].title, city["A"].mint()
    second = city["A"].mint(local_id=bytes(32))
    refused(lambda: title.transact("setCustodyLimit", TO_B, 1, sender=STRANGER), "AccessManagedUnauthorized")
    title.transact("setCustodyLimit", TO_B, 1)
    sent = city.move("A", "B", first)
    refused(lambda: city.move("A", "B", second), "CustodyFull")
    city.expire(sent)
    city.carry("A", "B", second)
    refused(lambda: city.move("A", "B", first), "CustodyFull")
    city.carry("B", "A", title_id(TO_A, local_id=bytes(32)))
    city.carry("A", "B", first)


def test_attack_F8_contract_nobody_holds_a_title_who_cannot_give_it(city):
    """Both chains put their contracts at the same addresses."""
    chain = city["A"]
    home = chain.mint()
    for account in (bytes(20), chain.title.address, chain.router.address, chain.manager.address):
        refused(lambda to=account: chain.title.transact("transfer", home, to, sender=ALICE), "InvalidHolder")
        refused(lambda to=account: chain.mint(to, local_id=bytes(32)), "InvalidHolder")
        sent = city.move("A", "B", home, receiver=text(account))
        city.deliver(sent)
        assert sent.acknowledgement == ERROR_ACKNOWLEDGEMENT
        city.settle(sent)
    chain.title.transact("transfer", home, BOB, sender=ALICE)
    assert chain.holder(home) == BOB


def test_attack_E3_contract_only_the_router_calls_back(city):
    callback = ("client-0", "client-0", 1, (TITLE_PORT, TITLE_PORT, TITLE_VERSION, ABI_ENCODING, encode_move()))
    title = city["A"].title
    for name, rest in (("onRecvPacket", ()), ("onAcknowledgementPacket", (b"\x01",)), ("onTimeoutPacket", ())):
        refused(lambda name=name, rest=rest: title.transact(name, (*callback, *rest, STRANGER)), "OnlyRouter")


@pytest.mark.parametrize(
    "value",
    [
        encode_move() + bytes(32),
        encode_move()[:-1],
        encode_move(trace="client-0//client-1"),
        encode_move(trace="/".join(["client-0"] * 8)),
        encode_move(trace="client-0>x"),
        encode_move(issuer=""),
        encode_move(issuer="x" * 129),
        encode_move(sender="a b"),
        encode_move(counters=b"\x01"),
        encode_move(counters=pack_counters(((MILEAGE, False, 1 << 128),))),
        encode_move(counters=pack_counters([(bytes([n + 1]) * 32, False, 0) for n in range(9)])),
        encode_move(counters=pack_counters(COUNTERS[:1] * 2)),
        encode_move()[:32] + (2).to_bytes(32, "big") + encode_move()[64:],
    ],
)
def test_attack_F3_contract_malformed_moves_are_refused(city, value):
    forged = city.forge("A", "B", value)
    city.deliver(forged, lie=True)
    assert forged.acknowledgement == ERROR_ACKNOWLEDGEMENT
    good = city.forge("A", "B", encode_move(trace="/".join(["client-0"] * 7)), sequence=78)
    city.deliver(good, lie=True)
    assert good.acknowledgement == b"\x01"


def forwarded(lane, value, sequence=1, *, source_port=TITLE_PORT, port=FORWARD_PORT, client=ORIGIN_CLIENT):
    stamp = OriginStamp(1, client, source_port, FORWARD_PORT, 7, 1)
    stamped = encode_stamped_payload(StampedPayload(stamp, TITLE_VERSION, ABI_ENCODING, value))
    return lane.incoming(sequence, Payload(port, TITLE_PORT, FORWARD_VERSION, ABI_ENCODING, stamped))


def test_attack_F9_contract_hub_brings_titles_under_the_origin_that_it_stamped():
    """Over the HubClient: every chain behind the hub is a route of its own, with its own custody."""
    lane = Lane()
    title = deploy_title(lane.evm, lane.manager, lane.router)
    answers = lambda packet: lane.receive(packet).named("WriteAcknowledgement")[0]["acknowledgements"][0]  # noqa: E731
    assert answers(forwarded(lane, encode_move(), 1)) == ERROR_ACKNOWLEDGEMENT
    title.transact("setHubClient", LOCAL_CLIENT)
    assert answers(forwarded(lane, encode_move(), 2, source_port="app.port")) == ERROR_ACKNOWLEDGEMENT
    assert answers(forwarded(lane, encode_move(), 3, port="app.port")) == ERROR_ACKNOWLEDGEMENT
    assert answers(forwarded(lane, encode_move(), 4)) == b"\x01"
    route = f"{LOCAL_CLIENT}>{ORIGIN_CLIENT}"
    here = title_id(route)
    assert title.call("holderOf", here) == text(BOB)

    def move(document, next_client):
        outcome = title.transact(
            "moveForwarded",
            LOCAL_CLIENT,
            next_client,
            document,
            text(ALICE),
            lane.evm.timestamp_s + 3600,
            sender=BOB,
        )
        packet = lane.sent(outcome)
        return packet, decode_forward_request(packet.payloads[0].value)

    packet, request = move(here, ORIGIN_CLIENT)
    assert request.destination_port == TITLE_PORT and request.value == encode_move(
        home=True, sender=text(BOB), receiver=text(ALICE)
    )
    lane.acknowledge(packet, b"\x01")
    assert title.call("titleOf", here)[0] == RETURNED
    own = title.transact("mint", LOCAL_ID, BOB, bytes(32), (), sender=STRANGER).value
    packet, request = move(own, ORIGIN_CLIENT)
    lane.acknowledge(packet, b"\x01")
    assert title.call("custodyOf", route)[0] == 1 and title.call("titleOf", own)[0] == AWAY
    home = encode_move(home=True, issuer=text(STRANGER), content=bytes(32), counters=b"")
    assert answers(forwarded(lane, home, 5, client="bft-evm-5")) == ERROR_ACKNOWLEDGEMENT
    assert answers(forwarded(lane, home, 6)) == b"\x01"
    packet, _ = move(own, ORIGIN_CLIENT)
    lane.acknowledge(packet, ERROR_ACKNOWLEDGEMENT)
    assert title.call("holderOf", own) == text(BOB) and title.call("custodyOf", route)[0] == 0
    refused(lambda: title.transact("moveForwarded", "client-9", ORIGIN_CLIENT, own, "x", 1, sender=BOB), "NotHubClient")


def test_vectors_of_the_specification():
    page = SPEC.read_text()
    found = dict(re.findall(r"^\| `(\S+)` \| `0x([0-9a-f]+)` \|$", page, re.MULTILINE))
    assert bytes.fromhex(found["id_at_home"]) == title_id()
    assert bytes.fromhex(found["id_over_evm-ba-0"]) == title_id(TO_A)
    assert bytes.fromhex(found["move_out"]) == encode_move()
    assert bytes.fromhex(found["move_home"]) == encode_move(home=True, sender=text(BOB), receiver=text(ALICE))
    city = TitleCity("AB")
    home = city["A"].mint()
    assert home.hex() == found["id_at_home"]
    sent = city.move("A", "B", home)
    assert sent.packet.payloads[0].value.hex() == found["move_out"]
    city.deliver(sent)
    city.settle(sent)
    back = city.move("B", "A", bytes.fromhex(found["id_over_evm-ba-0"]), receiver=text(ALICE))
    assert back.packet.payloads[0].value.hex() == found["move_home"]


def test_gas_of_titles(city):
    figures = {}
    outcome = city["A"].title.transact("mint", LOCAL_ID, ALICE, bytes(32), COUNTERS, sender=ISSUER)
    figures["mint"] = outcome.gas_used
    home = outcome.value
    chain = city["A"]
    arguments = (chain.links["B"].client_id, home, text(BOB), city.now_s + 3600)
    figures["move"] = chain.title.transact("move", *arguments, sender=ALICE, keep=False).gas_used
    sent = city.move("A", "B", home)
    figures["receive"] = city.deliver(sent).gas_used
    figures["acknowledge"] = city.settle(sent).gas_used
    arguments = (TO_A, at_b(city), text(ALICE), city.now_s + 3600)
    figures["move home"] = city["B"].title.transact("move", *arguments, sender=BOB, keep=False).gas_used
    print(f"\n{figures}")
    assert all(figures[name] < bound for name, bound in GAS_BOUNDS.items()), figures


@pytest.mark.long
def test_attack_E12_contract_no_amount_of_gas_buys_a_refusal_of_a_title(city):
    home = city["A"].mint()
    sent = city.move("A", "B", home)
    outcomes = set()
    proof, height = city.prove("B", "A", commitment_key(sent.packet))
    message = (packet_to_tuple(sent.packet), proof, height)
    for gas in range(60_000, 1_000_000, 12_000):
        try:
            outcome = city["B"].router.transact("recvPacket", message, gas=gas, keep=False)
        except Reverted:
            outcomes.add("reverted")
            continue
        assert not outcome.named("IBCAppRecvPacketCallbackError"), gas
        assert outcome.named("TitleReceived")
        outcomes.add("received")
    assert outcomes == {"reverted", "received"}
