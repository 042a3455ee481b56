"""Swap between two chains: both legs or neither, whoever relays, lies, replays, is late or is frozen."""

import random
import re
from pathlib import Path

import pytest
from eth_abi.abi import encode

from hutong.contracts.roles import swap_function_roles
from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    OriginStamp,
    StampedPayload,
    decode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Packet, Payload
from tests.contracts.evm import Contract, Reverted
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, Lane
from tests.contracts.test_router_packets import refused
from tests.contracts.title.title_city import ALICE, BOB, STRANGER, Sent, TitleCity, client_of

SWAP_PORT, SWAP_VERSION = "swap", "hutong-swap-1"
HELD, PAID, RETURNED = 1, 2, 3
PLAIN, FEE = 0, 3
MAKER, TAKER = ALICE, BOB
MAKER_THERE, TAKER_HERE = b"\xa2" * 20, b"\xb2" * 20
SUPPLY = 10_000
TO_A, TO_B = client_of("B", "A"), client_of("A", "B")
TERMS_TUPLE = "(address,address,address,address,address,uint256,address,uint256,bytes32)"
SPEC = Path(__file__).resolve().parents[3] / "docs" / "spec" / "swaps.md"
ROUNDS = 60
GAS_BOUNDS = {"fund": 200_000, "open": 330_000, "receive": 300_000, "acknowledge": 200_000}


class SwapCity(TitleCity):
    """Chain A has the bond and its holder, chain B the cash."""

    def __init__(self) -> None:
        super().__init__("AB")
        self.swaps: dict[str, Contract] = {}
        self.tokens: dict[str, Contract] = {}
        for name, owner in (("A", MAKER), ("B", TAKER)):
            chain = self[name]
            swap = chain.evm.deploy("Swap", chain.router.address, chain.manager.address, 600)
            for function_role in swap_function_roles():
                chain.manager.transact(
                    "setTargetFunctionRole", swap.address, function_role.selectors, function_role.role
                )
            chain.router.transact("addIBCApp", SWAP_PORT, swap.address)
            token = chain.evm.deploy("HostileToken")
            token.transact("mint", owner, SUPPLY)
            token.transact("approve", swap.address, SUPPLY, sender=owner)
            self.swaps[name], self.tokens[name] = swap, token

    def terms(self, salt: int = 0, amount_a: int = 5, amount_b: int = 7):
        return (
            MAKER,
            MAKER_THERE,
            TAKER,
            TAKER_HERE,
            self.tokens["A"].address,
            amount_a,
            self.tokens["B"].address,
            amount_b,
            salt.to_bytes(32, "big"),
        )

    def open(self, terms, timeout_in_s: int = 3600) -> Sent:
        outcome = self.swaps["A"].transact("open", TO_B, terms, self.now_s + timeout_in_s, sender=MAKER)
        (event,) = outcome.named("SendPacket")
        sequence, client, other, timeout_s, payloads = event["packet"]
        return Sent("A", "B", Packet(sequence, client, other, timeout_s, tuple(Payload(*p) for p in payloads)))

    def fund(self, terms) -> None:
        self.swaps["B"].transact("fund", TO_A, terms, sender=TAKER)

    def leg(self, name: str, terms) -> int:
        opened = name == "A"
        return self.swaps[name].call("stateOf", self.swaps[name].call("idOf", opened, TO_B if opened else TO_A, terms))

    def owed(self, name: str, account: bytes) -> int:
        return self.swaps[name].call("owedTo", account, self.tokens[name].address)

    def asked(self, value: bytes, sequence: int = 77, port: str = SWAP_PORT) -> Sent:
        """A packet that chain A never committed."""
        payload = Payload(port, SWAP_PORT, SWAP_VERSION, ABI_ENCODING, value)
        return Sent("A", "B", Packet(sequence, TO_B, TO_A, self.now_s + 3600, (payload,)))

    def check_totals(self) -> None:
        """What a Swap holds is what it owes and what stands in held legs; nothing was made or lost."""
        for name, parties in (("A", (MAKER, TAKER_HERE)), ("B", (TAKER, MAKER_THERE))):
            balance = self.tokens[name].call("balanceOf", self.swaps[name].address)
            outside = sum(self.tokens[name].call("balanceOf", party) for party in parties)
            assert balance + outside == SUPPLY


@pytest.fixture
def city():
    return SwapCity()


def test_swap_pays_both_legs(city):
    terms = city.terms()
    city.fund(terms)
    sent = city.open(terms)
    assert (city.leg("A", terms), city.leg("B", terms)) == (HELD, HELD)
    city.deliver(sent)
    assert city.owed("B", MAKER_THERE) == 7 and city.owed("A", TAKER_HERE) == 0
    city.settle(sent)
    assert (city.leg("A", terms), city.leg("B", terms)) == (PAID, PAID)
    for name, account, amount in (("A", TAKER_HERE, 5), ("B", MAKER_THERE, 7)):
        city.swaps[name].transact("claim", account, city.tokens[name].address, sender=STRANGER)
        assert city.tokens[name].call("balanceOf", account) == amount
        refused(
            lambda name=name, account=account: city.swaps[name].transact("claim", account, city.tokens[name].address),
            "NothingOwed",
        )
    city.check_totals()


@pytest.mark.parametrize("end", ["no leg B", "other terms", "withdrawn", "late"])
def test_attack_F17_contract_neither_leg_is_paid_without_the_other(city, end):
    terms = city.terms()
    if end != "no leg B":
        city.fund(city.terms(amount_a=4) if end == "other terms" else terms)
    sent = city.open(terms)
    if end == "withdrawn":
        refused(lambda: city.swaps["B"].transact("withdraw", TO_A, terms, sender=STRANGER), "OnlyParty")
        city.swaps["B"].transact("withdraw", TO_A, terms, sender=TAKER)
        refused(lambda: city.swaps["B"].transact("withdraw", TO_A, terms, sender=TAKER), "WrongState")
    if end == "late":
        city.expire(sent)
        with pytest.raises(Reverted):
            city.deliver(sent)
    else:
        city.deliver(sent)
        assert sent.acknowledgement == ERROR_ACKNOWLEDGEMENT
        city.settle(sent)
    assert city.leg("A", terms) == RETURNED and city.owed("A", MAKER) == 5
    assert city.owed("A", TAKER_HERE) == city.owed("B", MAKER_THERE) == 0
    if end == "late":
        city.swaps["B"].transact("withdraw", TO_A, terms, sender=TAKER)
    refused(lambda: city.open(terms), "WrongState")
    city.check_totals()


def test_attack_F17_contract_a_leg_is_paid_once_whoever_asks_again(city):
    terms = city.terms()
    city.fund(terms)
    foreign = city.asked(city.open(terms).packet.payloads[0].value, 70, "app.port")
    city.deliver(foreign, lie=True)
    assert foreign.acknowledgement == ERROR_ACKNOWLEDGEMENT and city.leg("B", terms) == HELD
    value = foreign.packet.payloads[0].value
    for sequence, changed in ((71, value + bytes(32)), (72, value[:-1]), (73, b"\x01" + value[1:])):
        bad = city.asked(changed, sequence)
        city.deliver(bad, lie=True)
        assert bad.acknowledgement == ERROR_ACKNOWLEDGEMENT
    first, again = city.asked(value, 74), city.asked(value, 75)
    city.deliver(first, lie=True)
    assert city.deliver(first, lie=True).named("Noop")
    city.deliver(again, lie=True)
    assert again.acknowledgement == ERROR_ACKNOWLEDGEMENT and city.owed("B", MAKER_THERE) == 7
    refused(lambda: city.swaps["B"].transact("withdraw", TO_A, terms, sender=TAKER), "WrongState")
    refused(lambda: city.fund(terms), "WrongState")


def test_attack_F17_contract_terms_bind_parties_and_route(city):
    terms = city.terms()
    refused(lambda: city.swaps["A"].transact("open", TO_B, terms, city.now_s + 60, sender=STRANGER), "OnlyParty")
    refused(lambda: city.swaps["B"].transact("fund", TO_A, terms, sender=STRANGER), "OnlyParty")
    city.swaps["B"].transact("fund", "evm-bc-0", terms, sender=TAKER)
    sent = city.open(terms)
    city.deliver(sent)
    assert sent.acknowledgement == ERROR_ACKNOWLEDGEMENT
    for changes in ({5: 0}, {7: 0}, {0: bytes(20)}, {3: bytes(20)}, {3: city.swaps["A"].address}, {4: STRANGER}):
        bad = tuple(changes.get(index, part) for index, part in enumerate(city.terms(salt=1)))
        party = bad[0]
        refused(
            lambda bad=bad, party=party: city.swaps["A"].transact("open", TO_B, bad, city.now_s + 60, sender=party),
            "InvalidTerms",
        )


def test_attack_F16_contract_swap_at_a_frozen_client_is_stuck_and_named_on_its_chain(city):
    terms = city.terms()
    city.fund(terms)
    sent = city.open(terms)
    leg = city.swaps["A"].call("idOf", True, TO_B, terms)
    city.deliver(sent)
    assert city.swaps["A"].call("stuckAt", leg) == (False, TO_B)
    city.freeze("A", "B")
    assert city.swaps["A"].call("stuckAt", leg) == (True, TO_B)
    with pytest.raises(Reverted):
        city.settle(sent)
    with pytest.raises(Reverted):
        city.expire(sent)
    assert city.leg("A", terms) == HELD and city.owed("A", MAKER) == city.owed("A", TAKER_HERE) == 0
    city.recover("A", "B")
    city.settle(sent)
    assert city.owed("A", TAKER_HERE) == 5 and city.swaps["A"].call("stuckAt", leg) == (False, TO_B)


def test_attack_E20_contract_pause_of_swaps_loses_nothing(city):
    terms = city.terms()
    city.fund(terms)
    sent = city.open(terms)
    refused(lambda: city.swaps["B"].transact("pause", sender=STRANGER), "AccessManagedUnauthorized")
    for name in "AB":
        city.swaps[name].transact("pause")
    refused(lambda: city.deliver(sent), "IBCFailedCallback")
    city.swaps["B"].transact("unpause")
    city.deliver(sent)
    refused(lambda: city.settle(sent), "EnforcedPause")
    city.swaps["A"].transact("unpause")
    city.settle(sent)
    assert (city.leg("A", terms), city.leg("B", terms)) == (PAID, PAID)


def test_attack_F5_contract_token_with_a_fee_is_no_leg(city):
    terms = city.terms(amount_a=500)
    city.tokens["A"].transact("set", FEE, 1, bytes(20), b"")
    refused(lambda: city.open(terms), "BalanceMismatch")
    city.tokens["A"].transact("set", PLAIN, 0, bytes(20), b"")
    city.open(terms)
    assert city.leg("A", terms) == HELD


def test_attack_F9_contract_hub_brings_swaps_under_the_origin_that_it_stamped():
    """Over the HubClient: leg B is for one origin, and leg A is decided by the settlement of leg 1."""
    lane = Lane()
    swap = lane.evm.deploy("Swap", lane.router.address, lane.manager.address, 600)
    lane.router.transact("addIBCApp", SWAP_PORT, swap.address)
    token = lane.evm.deploy("HostileToken")
    for party in (MAKER, TAKER):
        token.transact("mint", party, SUPPLY)
        token.transact("approve", swap.address, SUPPLY, sender=party)
    terms = (MAKER, MAKER_THERE, TAKER, TAKER_HERE, token.address, 5, token.address, 7, bytes(32))
    value = encode([TERMS_TUPLE], [terms])
    route = f"{LOCAL_CLIENT}>{ORIGIN_CLIENT}"
    swap.transact("fund", route, terms, sender=TAKER)

    def answer(sequence, *, port=SWAP_PORT, client=ORIGIN_CLIENT):
        stamped = StampedPayload(OriginStamp(1, client, port, FORWARD_PORT, 7, 1), SWAP_VERSION, ABI_ENCODING, value)
        fields = Payload(FORWARD_PORT, SWAP_PORT, FORWARD_VERSION, ABI_ENCODING, encode_stamped_payload(stamped))
        outcome = lane.receive(lane.incoming(sequence, fields))
        return outcome.named("WriteAcknowledgement")[0]["acknowledgements"][0]

    assert answer(1) == ERROR_ACKNOWLEDGEMENT
    swap.transact("setHubClient", LOCAL_CLIENT)
    assert answer(2, port="app.port") == answer(3, client="bft-evm-5") == ERROR_ACKNOWLEDGEMENT
    assert answer(4) == b"\x01" and answer(5) == ERROR_ACKNOWLEDGEMENT
    assert swap.call("owedTo", MAKER_THERE, token.address) == 7
    for salt, acknowledgement, account in ((1, b"\x01", TAKER_HERE), (2, ERROR_ACKNOWLEDGEMENT, MAKER)):
        mine = (*terms[:8], salt.to_bytes(32, "big"))
        until_s = lane.evm.timestamp_s + 3600
        outcome = swap.transact("openForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, mine, until_s, sender=MAKER)
        packet = lane.sent(outcome)
        request = decode_forward_request(packet.payloads[0].value)
        assert (request.destination_port, request.next_client) == (SWAP_PORT, ORIGIN_CLIENT)
        assert request.timeout_timestamp_s - packet.timeout_timestamp_s == 600
        lane.acknowledge(packet, acknowledgement)
        assert swap.call("owedTo", account, token.address) == 5
    refused(
        lambda: swap.transact("openForwarded", "client-9", ORIGIN_CLIENT, terms, until_s, sender=MAKER), "NotHubClient"
    )


def test_vectors_of_the_specification(city):
    found = dict(re.findall(r"^\| `(\S+)` \| `0x([0-9a-f]+)` \|$", SPEC.read_text(), re.MULTILINE))
    terms = (MAKER, MAKER_THERE, TAKER, TAKER_HERE, b"\xc1" * 20, 5, b"\xc2" * 20, 7, bytes(32))
    assert encode([TERMS_TUPLE], [terms]).hex() == found["terms"]
    for name, opened, route in (("leg_a_over_evm-ab-0", True, TO_B), ("leg_b_over_evm-ba-0", False, TO_A)):
        assert city.swaps["A"].call("idOf", opened, route, terms).hex() == found[name]
    city.open(city.terms())
    sent = city.open(city.terms(salt=1))
    assert sent.packet.payloads[0].value == encode([TERMS_TUPLE], [city.terms(salt=1)])


def test_gas_of_swaps(city):
    terms = city.terms()
    figures = {"fund": city.swaps["B"].transact("fund", TO_A, terms, sender=TAKER).gas_used}
    arguments = (TO_B, terms, city.now_s + 3600)
    figures["open"] = city.swaps["A"].transact("open", *arguments, sender=MAKER, keep=False).gas_used
    sent = city.open(terms)
    figures["receive"] = city.deliver(sent).gas_used
    figures["acknowledge"] = city.settle(sent).gas_used
    print(f"\n{figures}")
    assert all(figures[name] < bound for name, bound in GAS_BOUNDS.items()), figures


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 4))])
def test_attack_F17_contract_many_swaps_with_everything_in_any_order(city, seed):
    """Every trade ends paid on both sides or on neither, and every token is somewhere."""
    draw = random.Random(seed)
    trades = []
    for number in range(ROUNDS):
        terms = city.terms(salt=number, amount_a=number + 1, amount_b=2 * number + 1)
        if draw.random() < 0.8:
            city.fund(terms)
        trades.append((terms, city.open(terms, draw.choice((40, 3600)))))
    for _ in range(2):
        draw.shuffle(trades)
        for terms, sent in trades:
            action = draw.choice(("deliver", "settle", "withdraw", "replay"))
            try:
                if action == "withdraw":
                    city.swaps["B"].transact("withdraw", TO_A, terms, sender=TAKER)
                elif action == "settle" and sent.acknowledgement:
                    city.settle(sent)
                else:
                    city.deliver(sent)
            except Reverted as error:
                assert error.name in {"WrongState", "IBCInvalidTimeoutTimestamp"}, str(error)
    for terms, sent in trades:
        if not sent.acknowledgement:
            city.expire(sent)
        else:
            city.settle(sent)
        ends = (city.leg("A", terms), city.leg("B", terms) == PAID)
        assert ends in {(PAID, True), (RETURNED, False)}
    paid = {city.leg("A", terms) for terms, _ in trades}
    assert paid == {PAID, RETURNED}
    for name, accounts in (("A", (MAKER, TAKER_HERE)), ("B", (TAKER, MAKER_THERE))):
        for account in accounts:
            if city.owed(name, account):
                city.swaps[name].transact("claim", account, city.tokens[name].address)
    city.check_totals()
    settled = [terms for terms, _ in trades if city.leg("A", terms) == PAID]
    assert city.tokens["A"].call("balanceOf", TAKER_HERE) == sum(terms[5] for terms in settled)
    assert city.tokens["B"].call("balanceOf", MAKER_THERE) == sum(terms[7] for terms in settled)
