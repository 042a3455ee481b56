"""F1 as a property: three chains send tokens over the hub in any order, with errors, timeouts and replays; value is conserved.

Everything goes through the hub's own door with real headers and proofs. Only what a packet is worth at each moment is a
model: travelling, at the hub, credited at its destination, to be refunded.
"""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Packet
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT, Denom
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import ROUTER_ADDRESS, TRANSFER_ADDRESS
from hutong.relay.hub.application.packets.quotas import Load
from hutong.relay.hub.application.packets.shared_quotas import Lane, SharedQuotas, charge_of
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.state import keys
from tests.relay.hub.application.transfer.token_chain import (
    TOKEN,
    TokenChain,
    escrowed,
    held,
    homeward,
    supply,
    transfer_of,
)
from tests.relay.hub.simulated_hub import DAPP, SimulatedHub, address_of, sent_packet, written_acknowledgement

DAPP_TEXT = DAPP.address.lower()


@dataclass
class FirstLeg:
    """What a chain sent to the hub."""

    chain: TokenChain
    packet: Packet
    state: str = "travelling"


@dataclass
class SecondLeg:
    """What the hub sent; `first` is None for an account's own."""

    chain: TokenChain
    packet: Packet
    first: FirstLeg | None
    state: str = "travelling"


class TokensOverTheHub(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.hub = SimulatedHub()
        self.chains = [TokenChain(self.hub, salt=salt) for salt in (1, 2, 3)]
        self.first: list[FirstLeg] = []
        self.second: list[SecondLeg] = []
        self.calls: list[bytes] = []

    # --- who may be chosen

    def first_in(self, *states: str) -> list[FirstLeg]:
        return [leg for leg in self.first if leg.state in states]

    def second_in(self, *states: str) -> list[SecondLeg]:
        return [leg for leg in self.second if leg.state in states]

    def in_time(self, leg: FirstLeg | SecondLeg) -> bool:
        return self.hub.time_s < leg.packet.timeout_timestamp_s

    # --- what happens

    @rule(data=st.data(), sender=st.integers(0, 2), amount=st.integers(1, 50), soon=st.booleans())
    def send(self, data, sender, amount, soon) -> None:
        chain = self.chains[sender]
        owned = [TOKEN, *sorted(voucher for voucher, have in chain.vouchers.items() if have >= amount)]
        denom = data.draw(st.sampled_from(owned))
        to = data.draw(st.sampled_from([None, *(other.client for other in self.chains if other is not chain)]))
        deadline_s = self.hub.time_s + (60 if soon else 500)
        packet = chain.send_transfer(amount, to, denom=denom, receiver=DAPP_TEXT, deadline_s=deadline_s)
        self.first.append(FirstLeg(chain, packet))

    @precondition(lambda self: self.first_in("travelling"))
    @rule(data=st.data())
    def receive(self, data) -> None:
        leg = data.draw(st.sampled_from(self.first_in("travelling")))
        height = leg.chain.update()
        call = leg.chain.receive_call(leg.packet, height)
        self.calls.append(call)
        outcome = self.hub.send(ROUTER_ADDRESS, call)
        if outcome.reverted_with(abi.INVALID_TIMEOUT_TIMESTAMP):
            leg.state = "refund due"
        elif outcome.events(abi.SEND_PACKET_EVENT):
            onward = sent_packet(outcome)
            (chain,) = (chain for chain in self.chains if chain.client == onward.source_client)
            leg.state = "at the hub"
            self.second.append(SecondLeg(chain, onward, leg))
        else:
            self.settle_first(leg, outcome)

    def settle_first(self, leg: FirstLeg, outcome) -> None:
        packet, acknowledgement = written_acknowledgement(outcome)
        assert packet == leg.packet
        leg.state = "refund due" if acknowledgement.is_error else "done"

    @precondition(lambda self: self.first_in("refund due"))
    @rule(data=st.data())
    def refund(self, data) -> None:
        leg = data.draw(st.sampled_from(self.first_in("refund due")))
        leg.chain.refund(leg.packet)
        leg.state = "done"

    @precondition(lambda self: self.second_in("travelling"))
    @rule(data=st.data(), accepts=st.booleans())
    def arrive(self, data, accepts) -> None:
        leg = data.draw(st.sampled_from(self.second_in("travelling")))
        if not self.in_time(leg):
            return
        leg.state = "credited" if accepts and leg.chain.credit(leg.packet) == SUCCESS_ACKNOWLEDGEMENT else "refused"

    @precondition(lambda self: self.second_in("credited", "refused"))
    @rule(data=st.data())
    def acknowledge(self, data) -> None:
        leg = data.draw(st.sampled_from(self.second_in("credited", "refused")))
        answer = SUCCESS_ACKNOWLEDGEMENT if leg.state == "credited" else ERROR_ACKNOWLEDGEMENT
        outcome = leg.chain.answer(leg.packet, answer)
        self.calls.append(leg.chain.acknowledge_call(leg.packet, answer, leg.chain.trusted))
        self.settled(leg, outcome)

    @precondition(lambda self: any(not self.in_time(leg) for leg in self.second_in("travelling")))
    @rule(data=st.data())
    def time_out(self, data) -> None:
        late = [leg for leg in self.second_in("travelling") if not self.in_time(leg)]
        leg = data.draw(st.sampled_from(late))
        call = leg.chain.timeout_call(leg.packet, leg.chain.update())
        self.calls.append(call)
        self.settled(leg, self.hub.send(ROUTER_ADDRESS, call))

    def settled(self, leg: SecondLeg, outcome) -> None:
        assert outcome.ok, (outcome.log, outcome.data)
        leg.state = "done"
        if leg.first is not None:
            self.settle_first(leg.first, outcome)

    @rule(data=st.data(), to=st.integers(0, 2), soon=st.booleans())
    def account_sends(self, data, to, soon) -> None:
        chain = self.chains[to]
        owned = [denom for denom in self.denoms() if held(self.hub, denom, address_of(DAPP))]
        if not owned:
            return
        denom = data.draw(st.sampled_from(owned))
        amount = data.draw(st.integers(1, held(self.hub, denom, address_of(DAPP))))
        timeout_s = self.hub.time_s + (60 if soon else 500)
        call = interface.SEND_TRANSFER.call(chain.client, denom.path, amount, DAPP_TEXT, timeout_s, "")
        self.second.append(SecondLeg(chain, sent_packet(self.hub.send(TRANSFER_ADDRESS, call, DAPP)), None))

    @rule(seconds=st.sampled_from([30, 200]))
    def wait(self, seconds) -> None:
        """Clients are refreshed meanwhile, as relays do: what an expired one holds up is no matter of this machine."""
        self.hub.advance(time_s=self.hub.time_s + seconds)
        self.hub.advance()
        for chain in self.chains:
            chain.update()

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def replay(self, data) -> None:
        outcome = self.hub.send(ROUTER_ADDRESS, data.draw(st.sampled_from(self.calls)))
        assert all(log.topics[0] == abi.NOOP_EVENT.topic for log in outcome.logs)

    # --- what always holds

    def denoms(self) -> list[Denom]:
        return [chain.on_hub() for chain in self.chains]

    @invariant()
    def value_is_conserved(self) -> None:
        for home in getattr(self, "chains", ()):
            denom = home.on_hub()
            others = [chain for chain in self.chains if chain is not home]
            escrow = {chain.client: escrowed(self.hub, chain.client, denom) for chain in self.chains}
            circulating = supply(self.hub, denom)
            held_here = held(self.hub, denom, address_of(DAPP)) + homeward(self.hub, denom)
            assert held_here + sum(escrow.values()) == circulating
            assert escrow[home.client] == 0
            # What its home chain keeps locked backs every voucher, wherever it is.
            outside = sum(
                transfer_of(leg.packet).amount
                for leg in self.first_in("travelling", "refund due")
                if leg.chain is home and transfer_of(leg.packet).denom == TOKEN
            )
            unlocked = sum(
                transfer_of(leg.packet).amount
                for leg in self.second_in("credited")
                if leg.chain is home and transfer_of(leg.packet).denom == denom.path
            )
            assert home.escrow.get(TOKEN, 0) == circulating + outside - unlocked
            for chain in others:
                voucher = chain.voucher_here(denom)
                leaving = sum(
                    transfer_of(leg.packet).amount
                    for leg in self.first_in("travelling", "refund due")
                    if leg.chain is chain and transfer_of(leg.packet).denom == voucher
                )
                arriving = sum(
                    transfer_of(leg.packet).amount
                    for leg in self.second_in("travelling", "refused")
                    if leg.chain is chain and transfer_of(leg.packet).denom == denom.path
                )
                have = chain.vouchers.get(voucher, 0)
                assert have + leaving + arriving == escrow[chain.client]

    @invariant()
    def what_is_in_flight_is_counted_and_remembered(self) -> None:
        for chain in getattr(self, "chains", ()):
            legs = [leg for leg in self.second if leg.chain is chain and leg.state != "done"]
            view = self.hub.view()
            for lane in Lane:
                in_lane = [leg for leg in legs if charge_of(leg.packet.payloads[0], chain.client, "").lane is lane]
                expected = Load(len(in_lane), sum(len(leg.packet.payloads[0].value) for leg in in_lane))
                assert SharedQuotas(view).lane_load(chain.client, lane) == expected
                if lane is Lane.GENERAL:
                    _, _, *asked = self.hub.read(bytes(18) + b"\x10\x01", abi.GET_QUOTA, chain.client)
                    assert Load(*asked) == expected
            for leg in legs:
                record = view.get(keys.forward_key(chain.client, leg.packet.sequence))
                assert (record is None) == (leg.first is None)

    def teardown(self) -> None:
        """Everything is brought to its end: nothing is left in flight, and no leg was lost."""
        if not hasattr(self, "chains"):
            return
        for leg in self.first_in("travelling"):
            leg.chain.refund(leg.packet)
            leg.state = "done"
        latest = max((leg.packet.timeout_timestamp_s for leg in self.second_in("travelling")), default=0)
        if latest > self.hub.time_s:
            self.hub.advance(time_s=latest)
            self.hub.advance()
        for leg in self.second_in("travelling"):
            self.settled(leg, self.hub.send(ROUTER_ADDRESS, leg.chain.timeout_call(leg.packet, leg.chain.update())))
        for leg in self.second_in("credited", "refused"):
            answer = SUCCESS_ACKNOWLEDGEMENT if leg.state == "credited" else ERROR_ACKNOWLEDGEMENT
            self.settled(leg, leg.chain.answer(leg.packet, answer))
        for leg in self.first_in("refund due"):
            leg.chain.refund(leg.packet)
            leg.state = "done"
        assert {leg.state for leg in self.first + self.second} <= {"done"}
        self.value_is_conserved()
        for chain in self.chains:
            denom = chain.on_hub()
            elsewhere = sum(other.vouchers.get(other.voucher_here(denom), 0) for other in self.chains)
            assert chain.escrow.get(TOKEN, 0) == held(self.hub, denom, address_of(DAPP)) + elsewhere


@pytest.mark.long
def test_attack_F1_value_is_conserved_over_any_interleaving():
    run_state_machine_as_test(
        TokensOverTheHub, settings=settings(max_examples=12, stateful_step_count=25, deadline=None)
    )
