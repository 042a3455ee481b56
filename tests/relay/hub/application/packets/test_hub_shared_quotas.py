"""Quotas cannot be turned into weapons (audit M1): what one origin or one token holds up leaves room for all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.packet import ERROR, ERROR_ACKNOWLEDGEMENT, Packet, Payload
from hutong.light_clients.ibc.transfer import TransferData
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import set_quota_action
from hutong.relay.hub.application.module import TRANSFER_ADDRESS
from hutong.relay.hub.application.packets.pending_record import PendingForward, encode_pending_forward
from hutong.relay.hub.application.packets.quotas import NOTHING, Load, QuotaExceeded
from hutong.relay.hub.application.packets.shared_quotas import (
    GREEDY_HORIZON_S,
    HUB_ACCOUNTS,
    Lane,
    SharedQuotas,
    ShareExceeded,
    TimeoutTooFar,
    charge_of,
)
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.application.transfer.app import transfer_payload as hub_payload
from hutong.relay.hub.state import keys
from tests.relay.hub.application.transfer.token_chain import BOB, TokenChain, ask, forward_failure
from tests.relay.hub.simulated_hub import DAPP, SimulatedHub, hub_genesis, sent_packet, written_acknowledgement

LIMIT = 12


@pytest.fixture
def chains(hub):
    """Greedy A, quiet C and D, and B, over whose client twelve packets may be in flight."""
    a, b, c, d = (TokenChain(hub, salt=salt) for salt in range(1, 5))
    assert hub.execute(set_quota_action(hub.next_salt(), b.client, Load(LIMIT, 10**6))).ok
    return a, b, c, d


def is_sent(chain: TokenChain, packet: Packet) -> bool:
    """Delivered to the hub, and not answered with an error at once."""
    outcome = chain.deliver(packet)
    if outcome.events(abi.SEND_PACKET_EVENT):
        return True
    assert written_acknowledgement(outcome) == (packet, ERROR)
    return False


def flood(chain: TokenChain, to: TokenChain, most: int = 2 * LIMIT) -> int:
    """Messages that nobody settles, until one is refused; returns how many went on."""
    for number in range(most):
        if not is_sent(chain, chain.send_forward(to.client)):
            return number
    return most


def test_audit_M1_one_origin_does_not_shut_a_chain_for_others(hub, chains):
    a, b, c, d = chains
    assert flood(a, b) == 8, "two thirds"
    refused = a.send_forward(b.client)
    assert not is_sent(a, refused)
    assert f"the origin {a.client} has 8 packets" in forward_failure(hub, refused)
    assert is_sent(c, c.send_forward(b.client))
    assert is_sent(c, c.send_transfer(10, b.client))
    # A second greedy one leaves room as well.
    assert flood(c, b) == 1
    assert is_sent(d, d.send_forward(b.client))
    origins = ask(hub, "hutong_quota", b.client)["origins"]
    assert {origin: share["packets"] for origin, share in origins.items()} == {
        a.client: "0x8",
        c.client: "0x3",
        d.client: "0x1",
    }


def test_under_rules_version_2_one_origin_took_all():
    """Blocks of before replay as they were."""
    hub = SimulatedHub(genesis=hub_genesis(rules_version=rules_versions.SETTLES_WHILE_PAUSED))
    a, b, c = (TokenChain(hub, salt=salt) for salt in range(1, 4))
    assert hub.execute(set_quota_action(hub.next_salt(), b.client, Load(LIMIT, 10**6))).ok
    assert flood(a, b) == LIMIT
    assert not is_sent(c, c.send_forward(b.client))
    assert len(hub.view().get(keys.quota_in_flight_key(b.client))) == 16


def test_audit_M1_tokens_on_their_way_home_are_counted_apart(hub, chains):
    a, b, c, _ = chains
    home = b.send_transfer(50, a.client)
    voucher = a.voucher_here(b.on_hub())
    a.credit(sent_packet(b.deliver(home)))
    flood(a, b)
    flood(c, b)
    for _ in range(3):
        assert is_sent(a, a.send_transfer(1, b.client, denom=voucher))
    quota = ask(hub, "hutong_quota", b.client)
    assert quota["redemptionsInFlight"] == "0x3"
    assert int(quota["packetsInFlight"], 16) > 8


def test_audit_M1_one_hostile_token_does_not_hold_up_the_redemption_of_others(hub, chains):
    a, b, _, _ = chains
    hostile, honest = "0x" + "ee" * 20, "0x" + "0a" * 20
    for token in (hostile, honest):
        a.credit(sent_packet(b.deliver(b.send_transfer(50, a.client, denom=token))))

    def redeems(token):
        return is_sent(a, a.send_transfer(1, b.client, denom=a.voucher_here(b.on_hub(token))))

    went = 0
    while redeems(hostile):
        went += 1
    assert went == 8
    assert redeems(honest)


def test_accounts_of_the_hub_are_one_origin(hub, chains):
    a, b, c, _ = chains
    assert a.deliver(a.send_transfer(100, receiver=DAPP.address.lower())).ok
    call = interface.SEND_TRANSFER.call(b.client, a.on_hub().path, 1, BOB, hub.time_s + 600, "")
    went = 0
    while hub.send(TRANSFER_ADDRESS, call, DAPP).ok:
        went += 1
    assert went == 8
    assert is_sent(c, c.send_forward(b.client))


def test_who_holds_much_may_only_send_what_is_settled_soon(hub, chains):
    a, b, c, _ = chains
    soon, late = hub.time_s + 500, hub.time_s + GREEDY_HORIZON_S + 500
    assert is_sent(a, a.send_forward(b.client, late))
    assert is_sent(a, a.send_forward(b.client, late))  # two are more than an eighth of twelve
    far = a.send_forward(b.client, late)
    assert not is_sent(a, far)
    assert f"the origin {a.client} has 2 packets in flight, so its timeouts may be" in forward_failure(hub, far)
    assert is_sent(a, a.send_forward(b.client, soon))
    assert is_sent(c, c.send_forward(b.client, late))


def test_what_settles_gives_its_share_back(hub, chains):
    a, b, _, _ = chains
    leg_2 = sent_packet(a.deliver(a.send_forward(b.client)))
    assert ask(hub, "hutong_quota", b.client)["origins"][a.client]["packets"] == "0x1"
    assert b.answer(leg_2, ERROR_ACKNOWLEDGEMENT).ok
    assert ask(hub, "hutong_quota", b.client)["origins"] == {}


# --- the rules over a plain store


NEXT = "bft-evm-9"
ORIGINS = ["", "bft-evm-1", "bft-evm-2", "07-tendermint-3"]
TOKENS = ["0x" + f"{number:02x}" * 20 for number in (1, 2)]


class Rows:
    def __init__(self):
        self.rows = {}

    def get(self, key):
        return self.rows.get(key)

    def set(self, key, value):
        self.rows[key] = value

    def delete(self, key):
        self.rows.pop(key, None)


def message(size: int) -> Payload:
    return Payload("forward", "gmpport", "1", "x", bytes(size))


def redemption(token: str) -> Payload:
    home = Denom.parse(token).prefixed("transfer", NEXT)
    return hub_payload(TransferData(home.path, "0x" + "01" * 20, BOB, 5), NEXT)


def test_the_lane_of_a_payload():
    assert charge_of(message(7), NEXT, "bft-evm-1").lane is Lane.GENERAL
    charge = charge_of(redemption(TOKENS[0]), NEXT, "bft-evm-1")
    assert (charge.lane, charge.share) == (
        Lane.REDEMPTIONS,
        Denom.parse(TOKENS[0]).prefixed("transfer", NEXT).digest.hex(),
    )
    other = charge_of(redemption(TOKENS[0]), "bft-evm-8", "bft-evm-1")
    assert (other.lane, other.share) == (Lane.GENERAL, "bft-evm-1")


@given(st.integers(1, 10**6), st.lists(st.sampled_from(ORIGINS), max_size=40))
def test_property_who_has_nothing_in_flight_finds_room_as_long_as_anything_is_free(limit, floods):
    quotas = SharedQuotas(Rows())
    limit = min(limit, 60)
    quotas.set_limit(NEXT, Load(limit, 10**9))
    for sequence, origin in enumerate(floods):
        packet = Packet(sequence + 1, NEXT, "client-0", 9, (message(1),))
        try:
            quotas.check(NEXT, packet.payloads[0], origin, 9, 0)
        except QuotaExceeded:
            continue
        quotas.packet_sent(packet, origin)
    if quotas.in_flight(NEXT).packets < limit:
        quotas.check(NEXT, message(1), "newcomer-1", 9, 0)


def test_the_refusals_carry_what_was_compared():
    quotas = SharedQuotas(Rows())
    quotas.set_limit(NEXT, Load(3, 10**6))
    for sequence in (1, 2):
        packet = Packet(sequence, NEXT, "client-0", 9, (message(5),))
        quotas.check(NEXT, packet.payloads[0], "bft-evm-1", 9, 0)
        quotas.packet_sent(packet, "bft-evm-1")
    with pytest.raises(ShareExceeded) as refused:
        quotas.check(NEXT, message(5), "bft-evm-1", 9, 0)
    assert (refused.value.in_flight, refused.value.free) == (Load(2, 10), Load(1, 10**6 - 10))
    with pytest.raises(TimeoutTooFar) as refused:
        quotas.set_limit(NEXT, Load(10, 10**6))
        quotas.check(NEXT, message(5), "bft-evm-1", 4_000, 0)
    assert (refused.value.timeout_s, refused.value.latest_s) == (4_000, GREEDY_HORIZON_S)
    quotas.set_limit(NEXT, Load(2, 10**6))
    with pytest.raises(QuotaExceeded) as refused:
        quotas.check(NEXT, message(5), "bft-evm-2", 9, 0)
    assert (refused.value.in_flight, refused.value.limit) == (Load(2, 10), Load(2, 10**6))


def test_packets_of_before_version_3_settle_without_going_below_nothing():
    rows = Rows()
    rows.set(keys.quota_in_flight_key(NEXT), Load(2, 20).encode())
    quotas = SharedQuotas(rows)
    assert quotas.by_origin(NEXT) == {}
    for sequence in (1, 2):
        quotas.packet_settled(Packet(sequence, NEXT, "client-0", 9, (message(10),)))
    assert (quotas.in_flight(NEXT), quotas.by_origin(NEXT)) == (NOTHING, {})


class Counting(RuleBasedStateMachine):
    """Totals and shares are what is in flight, whatever settles in whatever order."""

    def __init__(self):
        super().__init__()
        self.rows = Rows()
        self.quotas = SharedQuotas(self.rows)
        self.sent: dict[int, tuple[Packet, str]] = {}
        self.sequence = 0

    @rule(
        origin=st.sampled_from(ORIGINS),
        payload=st.one_of(st.integers(1, 500).map(message), st.sampled_from(TOKENS).map(redemption)),
    )
    def send(self, origin, payload):
        self.sequence += 1
        packet = Packet(self.sequence, NEXT, "client-0", 9, (payload,))
        self.quotas.packet_sent(packet, origin)
        if origin != HUB_ACCOUNTS:
            leg_1 = Packet(self.sequence, "client-7", origin, 9, (message(1),))
            self.rows.set(keys.forward_key(NEXT, self.sequence), encode_pending_forward(PendingForward(leg_1, 5)))
        self.sent[self.sequence] = packet, origin

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def settle(self, data):
        sequence = data.draw(st.sampled_from(sorted(self.sent)))
        packet, _ = self.sent.pop(sequence)
        self.quotas.packet_settled(packet)
        self.rows.delete(keys.forward_key(NEXT, sequence))

    @invariant()
    def counters_are_what_is_in_flight(self):
        charges = [charge_of(packet.payloads[0], NEXT, origin) for packet, origin in self.sent.values()]
        for lane in Lane:
            sizes = [charge.payload_bytes for charge in charges if charge.lane is lane]
            assert self.quotas.lane_load(NEXT, lane) == Load(len(sizes), sum(sizes))
        expected = {}
        for charge in charges:
            if charge.lane is Lane.GENERAL:
                expected[charge.share] = charge.after(expected.get(charge.share, NOTHING))
        assert self.quotas.by_origin(NEXT) == expected
        denominations = {charge.share for charge in charges if charge.lane is Lane.REDEMPTIONS}
        stored = {key for key in self.rows.rows if b"/redemptions/" in key}
        assert stored == {keys.quota_denom_key(NEXT, bytes.fromhex(share)) for share in denominations}


TestCounting = Counting.TestCase
