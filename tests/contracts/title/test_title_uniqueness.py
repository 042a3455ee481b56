"""Over any history of moves, replays, timeouts and frozen clients, a title is live on one chain or travels in one packet."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.commitment import commitment_key, receipt_key
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from tests.contracts.evm import Outcome, Reverted
from tests.contracts.title.title_city import ALICE, BOB, LIVE, MILEAGE, Sent, TitleCity, encode_move, text

NAMES = "ABC"
CHAIN = st.sampled_from(NAMES)
LOCAL_IDS = tuple(bytes([number]) * 32 for number in (1, 2))


class Uniqueness(RuleBasedStateMachine):
    """The machine follows each title by the events of the contracts; the contracts' own states are what is judged."""

    def __init__(self) -> None:
        super().__init__()
        self.city = TitleCity(NAMES)
        self.places: dict[bytes, set[tuple[str, bytes]]] = {}
        """By local id: every chain that has seen it, with its name there."""
        self.sent: list[tuple[bytes, bytes, Sent]] = []
        """(local id, its name at the sender, packet), in order."""
        self.travelling: dict[bytes, set[int]] = {local_id: set() for local_id in LOCAL_IDS}
        self.frozen: set[tuple[str, str]] = set()
        self.mileage = dict.fromkeys(LOCAL_IDS, 1000)
        for local_id, home in zip(LOCAL_IDS, NAMES, strict=False):
            self.places[local_id] = {(home, self.city[home].mint(local_id=local_id))}

    def live(self, local_id: bytes) -> list[tuple[str, bytes]]:
        return [(chain, name) for chain, name in sorted(self.places[local_id]) if self.city[chain].state(name) == LIVE]

    def attempt(self, action: Any) -> Outcome | None:
        try:
            return action()
        except Reverted as error:
            assert self.frozen, str(error)
            return None

    @rule(local_id=st.sampled_from(LOCAL_IDS), to=CHAIN, bad=st.booleans(), timeout_in_s=st.sampled_from([60, 3600]))
    def move(self, local_id: bytes, to: str, bad: bool, timeout_in_s: int) -> None:
        for chain, name in self.live(local_id):
            if chain == to:
                return
            fields = {"receiver": "nobody" if bad else text(ALICE), "timeout_in_s": timeout_in_s}
            sent = self.attempt(lambda chain=chain, name=name: self.city.move(chain, to, name, **fields))
            if sent is not None:
                self.travelling[local_id].add(len(self.sent))
                self.sent.append((local_id, name, sent))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Any packet that was ever sent, again and again; late ones are refused by the router."""
        index = data.draw(st.integers(0, len(self.sent) - 1))
        local_id, _, sent = self.sent[index]
        late = self.city.now_s + 1 >= sent.packet.timeout_timestamp_s
        committed = any(self.city[sent.source].router.call("getCommitment", keccak256(commitment_key(sent.packet))))
        try:
            outcome = self.city.deliver(sent)
        except Reverted as error:
            assert self.frozen or late or not committed, str(error)
            return
        for event in outcome.named("TitleReceived"):
            assert index in self.travelling[local_id]
            self.travelling[local_id].discard(index)
            self.places[local_id].add((sent.destination, event["id"]))

    @precondition(lambda self: any(sent.acknowledgement for _, _, sent in self.sent))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        answered = [index for index, (_, _, sent) in enumerate(self.sent) if sent.acknowledgement]
        index = data.draw(st.sampled_from(answered))
        local_id, _, sent = self.sent[index]
        outcome = self.attempt(lambda: self.city.settle(sent))
        if outcome is not None and outcome.named("MoveUndone"):
            assert sent.acknowledgement == ERROR_ACKNOWLEDGEMENT and index in self.travelling[local_id]
            self.travelling[local_id].discard(index)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.sent) - 1))
        local_id, _, sent = self.sent[index]
        try:
            outcome = self.city.expire(sent)
        except Reverted as error:
            received = self.city[sent.destination].router.call("getCommitment", keccak256(receipt_key(sent.packet)))
            assert self.frozen or any(received), str(error)
            return
        if outcome.named("MoveUndone"):
            assert index in self.travelling[local_id]
            self.travelling[local_id].discard(index)

    @rule(at=CHAIN, of=CHAIN, forged_for=st.sampled_from(LOCAL_IDS))
    def claim(self, at: str, of: str, forged_for: bytes) -> None:
        """A stranger's packet with no commitment: nothing is proven, nothing happens."""
        if at == of:
            return
        forged = self.city.forge(of, at, encode_move(home=True, local_id=forged_for), sequence=9_999)
        with pytest.raises(Reverted):
            self.city.deliver(forged)

    @rule(at=CHAIN, of=CHAIN)
    def freeze(self, at: str, of: str) -> None:
        if at != of and (at, of) not in self.frozen and len(self.frozen) < 2:
            self.city.freeze(at, of)
            self.frozen.add((at, of))

    @rule(at=CHAIN, of=CHAIN)
    def recover(self, at: str, of: str) -> None:
        if (at, of) in self.frozen:
            self.city.recover(at, of)
            self.frozen.discard((at, of))

    @rule(local_id=st.sampled_from(LOCAL_IDS), miles=st.integers(1, 500), to=st.sampled_from([ALICE, BOB]))
    def use(self, local_id: bytes, miles: int, to: bytes) -> None:
        for chain, name in self.live(local_id):
            holder = self.city[chain].holder(name)
            self.mileage[local_id] += miles
            self.city[chain].title.transact("advance", name, MILEAGE, self.mileage[local_id], sender=holder)
            self.city[chain].title.transact("transfer", name, to, sender=holder)

    @invariant()
    def one_live_holder_or_one_packet(self) -> None:
        for local_id in LOCAL_IDS:
            assert len(self.live(local_id)) + len(self.travelling[local_id]) == 1

    @invariant()
    def counters_are_what_was_counted_last(self) -> None:
        for local_id in LOCAL_IDS:
            for chain, name in self.live(local_id):
                values = {name: value for name, _, value in self.city[chain].of(name)["counters"]}
                assert values[MILEAGE] == self.mileage[local_id]


SETTINGS = settings(max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.long
def test_attack_F13_contract_one_live_holder_over_any_history():
    run_state_machine_as_test(Uniqueness, settings=SETTINGS)
