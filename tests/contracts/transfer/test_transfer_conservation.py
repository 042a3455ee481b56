"""F1: over any history, what stands in escrow is what is outstanding elsewhere or on its way, and every balance is owed.

The other chain is played by a ledger of what an honest hub would hold; Transfer is driven through the router's own callbacks.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Packet
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from tests.contracts.evm import Outcome, Reverted
from tests.contracts.lane import HUB_SIDE_CLIENT, LOCAL_CLIENT, MERKLE_PREFIX, RELAYER, deploy_hub_client, new_lane
from tests.contracts.transfer.transfer_lane import ALICE, BOB, NO_LIMIT, SUPPLY, TransferLane

pytestmark = pytest.mark.safety

ACCOUNTS = (ALICE, BOB)
CLIENTS = {LOCAL_CLIENT: HUB_SIDE_CLIENT, "client-1": "bft-evm-7"}
REMOTE = "usd"
AMOUNTS = st.integers(1, 400)
CLIENT = st.sampled_from(sorted(CLIENTS))


@dataclass
class Remote:
    """What one remote chain holds: vouchers of our token, and what it escrowed of its own."""

    vouchers: int = 0
    escrow: int = 0
    in_flight: list[tuple[Packet, bool, int]] = field(default_factory=list)
    """(packet from here, whether it carries our own token, amount)."""


class Conservation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.lane = new_lane(TransferLane)
        contract = deploy_hub_client(self.lane.evm, self.lane.chain, self.lane.chain.latest.header.height)
        self.lane.router.transact("addClient", ("bft-evm-7", MERKLE_PREFIX), contract.address)
        self.remotes = {client: Remote() for client in CLIENTS}
        self.held: dict[bytes, tuple[bool, str, int]] = {}
        """What waits here: whether it is our own token, the client, the amount."""

    def voucher(self, client: str) -> Any:
        return self.lane.voucher(REMOTE, client)

    def token(self, own: bool, client: str) -> Any:
        return self.lane.token if own else self.voucher(client)

    def callback(self, name: str, *message: Any) -> Outcome:
        return self.lane.transfer.transact(name, message, sender=self.lane.router.address)

    def note(self, outcome: Outcome, own: bool, client: str) -> None:
        for held in outcome.named("TransferHeld"):
            self.held[held["heldId"]] = (own, client, held["amount"])

    @rule(client=CLIENT, own=st.booleans(), account=st.sampled_from(ACCOUNTS), amount=AMOUNTS)
    def send(self, client: str, own: bool, account: bytes, amount: int) -> None:
        token = self.token(own, client)
        if not self.lane.evm.has_code(token.address) or self.lane.balance(account, token) < amount:
            return
        if own:
            self.lane.token.transact("approve", self.lane.transfer.address, amount, sender=account)
        try:
            outcome = self.lane.send_tokens(amount, token=token, client=client, sender=account)
        except Reverted as error:
            assert error.name in {"LimitExceeded", "Blocked"}
            return
        self.remotes[client].in_flight.append((self.lane.sent(outcome), own, amount))

    @precondition(lambda self: any(remote.in_flight for remote in self.remotes.values()))
    @rule(data=st.data(), end=st.sampled_from(["success", "error", "timeout"]))
    def settle(self, data: st.DataObject, end: str) -> None:
        client = data.draw(st.sampled_from([name for name in sorted(self.remotes) if self.remotes[name].in_flight]))
        remote = self.remotes[client]
        packet, own, amount = remote.in_flight.pop(data.draw(st.integers(0, len(remote.in_flight) - 1)))
        (payload,) = packet.payloads
        fields = tuple(getattr(payload, name) for name in payload.__slots__)
        start = (client, CLIENTS[client], packet.sequence, fields)
        if end == "success":
            if own:
                remote.vouchers += amount
            else:
                remote.escrow -= amount
            assert self.callback("onAcknowledgementPacket", *start, SUCCESS_ACKNOWLEDGEMENT, RELAYER).named(
                "TransferCompleted"
            )
            return
        if end == "error":
            outcome = self.callback("onAcknowledgementPacket", *start, ERROR_ACKNOWLEDGEMENT, RELAYER)
        else:
            outcome = self.callback("onTimeoutPacket", *start, RELAYER)
        assert len(outcome.named("TransferRefunded")) == 1
        self.note(outcome, own, client)

    @rule(client=CLIENT, own=st.booleans(), account=st.sampled_from(ACCOUNTS), amount=AMOUNTS, lie=st.booleans())
    def receive(self, client: str, own: bool, account: bytes, amount: int, lie: bool) -> None:
        """An honest remote sends home at most what it holds; a lying one tries more, and must get nothing."""
        remote = self.remotes[client]
        on_its_way = sum(part for _, is_own, part in remote.in_flight if is_own)
        if own:
            amount = remote.vouchers + on_its_way + amount if lie else min(amount, remote.vouchers)
            if amount == 0:
                return
        denom = f"transfer/{CLIENTS[client]}/{self.lane.token.text}" if own else REMOTE
        packet = self.lane.tokens(denom, amount, account)
        (payload,) = packet.payloads
        fields = tuple(getattr(payload, name) for name in payload.__slots__)
        try:
            outcome = self.callback("onRecvPacket", CLIENTS[client], client, packet.sequence, fields, RELAYER)
        except Reverted as error:
            assert error.name in {"EscrowExceeded", "LimitExceeded", "Blocked"}
            return
        assert not (own and lie)
        if own:
            remote.vouchers -= amount
        else:
            remote.escrow += amount
        self.note(outcome, own, client)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        held_id = data.draw(st.sampled_from(sorted(self.held)))
        try:
            self.lane.transfer.transact("release", held_id)
        except Reverted as error:
            assert error.name in {"StillHeld", "Blocked"}
            return
        del self.held[held_id]

    @rule(blocked=st.booleans(), account=st.sampled_from(ACCOUNTS))
    def block(self, blocked: bool, account: bytes) -> None:
        self.lane.token.transact("blockAccount", account, blocked)

    @rule(cap=st.sampled_from([50, 300, NO_LIMIT]), above=st.sampled_from([100, NO_LIMIT]), client=CLIENT)
    def limit(self, cap: int, above: int, client: str) -> None:
        fields = (cap, cap, above, 60, 30)
        self.lane.transfer.transact("setClientLimit", client, self.lane.token.address, fields)

    @rule(seconds=st.integers(1, 60))
    def pass_time(self, seconds: int) -> None:
        self.lane.evm.timestamp_s += seconds

    @invariant()
    def escrow_is_what_is_out_or_on_its_way(self) -> None:
        for client, remote in self.remotes.items():
            on_its_way = sum(amount for _, own, amount in remote.in_flight if own)
            assert self.lane.escrow(client=client) == remote.vouchers + on_its_way

    @invariant()
    def supply_of_vouchers_is_what_the_remote_escrowed(self) -> None:
        for client, remote in self.remotes.items():
            voucher = self.voucher(client)
            if self.lane.evm.has_code(voucher.address):
                on_its_way = sum(amount for _, own, amount in remote.in_flight if not own)
                assert voucher.call("totalSupply") + on_its_way == remote.escrow

    @invariant()
    def every_balance_of_transfer_is_owed(self) -> None:
        waiting = sum(amount for own, _, amount in self.held.values() if own)
        escrowed = sum(self.lane.escrow(client=client) for client in CLIENTS)
        here = self.lane.transfer.address
        assert self.lane.balance(here) == escrowed + waiting
        assert sum(map(self.lane.balance, (*ACCOUNTS, here))) == SUPPLY


SETTINGS = settings(max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.long
def test_attack_F1_contract_supply_is_conserved_over_any_history():
    run_state_machine_as_test(Conservation, settings=SETTINGS)
