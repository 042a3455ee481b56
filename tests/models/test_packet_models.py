"""One packet, all interleavings: one outcome, value conserved; and each rule is needed, for without it the model fails."""

import pytest

from hutong.light_clients.ibc.commitment import acknowledgement_key, commitment_key, receipt_key
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, UnknownHeight
from hutong.relay.hub.application.clients import Clients, StoredConsensusStates
from hutong.relay.hub.application.packets.forwarder import Forwarder
from hutong.relay.hub.application.packets.packets import PacketRouter
from hutong.relay.hub.state import keys
from tests.models.direct_packet import CLIENT, OUTCOME, SENDER, DirectPacket, amount
from tests.models.explorer import Violation, expect_progress, explore
from tests.models.forwarded_packet import OF_B, ForwardedPacket
from tests.models.ledger import GENESIS_S, DictStore, Rules

# --- rules turned off, one each


class ReceivesTwice(PacketRouter):
    """No receipt is remembered."""

    def receive(self, packet, commitment_proof):
        self.store.delete(receipt_key(packet))
        self.store.delete(acknowledgement_key(packet))
        super().receive(packet, commitment_proof)


class ReceivesAtTheTimeout(PacketRouter):
    """`>` for `>=`."""

    def receive(self, packet, commitment_proof):
        self.now_s -= 1
        super().receive(packet, commitment_proof)


class TimesOutEarly(Clients):
    """A second before the timeout passes for the timeout."""

    def verify_non_membership(self, *arguments):
        return super().verify_non_membership(*arguments) + NANOSECONDS_PER_SECOND


class TimesOutByOwnClock(PacketRouter):
    """The source's clock instead of the time in the counterparty's proven block."""

    def timeout(self, packet, proof):
        clients = self.clients
        now_ns = self.now_s * NANOSECONDS_PER_SECOND

        class OwnClock:
            def __getattr__(self, name):
                return getattr(clients, name)

            def verify_non_membership(self, *arguments):
                clients.verify_non_membership(*arguments)
                return now_ns

        self.clients = OwnClock()
        super().timeout(packet, proof)


class BelievesAbsence(Clients):
    """The time is looked at, the receipt is not."""

    def verify_non_membership(self, client_id, height, proof, key):
        state = self.consensus_states(client_id).get(height)
        if state is None:
            raise UnknownHeight(height)
        return self._light_client("model-client").timestamp_ns(state)


class KeepsCommitments(PacketRouter):
    """What was settled can be settled again."""

    def _take_commitment(self, packet):
        return self.store.get(commitment_key(packet)) is not None


class UsesFrozenClients(Clients):
    """Proofs are taken whatever the client's status."""

    def require_active(self, client_id):
        """Nothing."""


class ForgetsRecoveries(StoredConsensusStates):
    def __init__(self, store, client_id):
        super().__init__(store, client_id)
        self._floor = min(self._floor, type(self._floor)(0, 0))
        self._first_prefix = keys.consensus_prefix(client_id)

    def get(self, height):
        return super().get(height) or self._store.get(self._first_prefix + height.to_key())


class KeepsForkedStates(Clients):
    """After recovery the states that a frozen client had stored are believed again."""

    def _consensus_state(self, light_client, client_id, state, height):
        forked = self._store.get(keys.consensus_key(client_id, height))
        return forked or super()._consensus_state(light_client, client_id, state, height)


class ComparesWithForkedStates(Clients):
    """After recovery honest headers are held against what a frozen client had stored above the substitute."""

    def consensus_states(self, client_id):
        return ForgetsRecoveries(self._store, client_id)


class SettlesWithoutDeleting(Forwarder):
    """The pending record outlives leg 2."""

    def _settle(self, leg_2, acknowledgement, failure):
        key = keys.forward_key(leg_2.source_client, leg_2.sequence)
        record = self._router.store.get(key)
        super()._settle(leg_2, acknowledgement, failure)
        self._router.store.set(key, record)


class SettlesNothing(Forwarder):
    """Leg 1's acknowledgement is never written when leg 2 times out."""

    def on_timeout(self, packet):
        self._router.store.delete(keys.forward_key(packet.source_client, packet.sequence))


class AnswersAtOnce(Forwarder):
    """Leg 1 is acknowledged as a success before leg 2 has settled."""

    def on_receive(self, packet):
        super().on_receive(packet)
        return b"\x01"

    def _settle(self, leg_2, acknowledgement, failure):
        self._router.store.delete(keys.forward_key(leg_2.source_client, leg_2.sequence))


class LosesKeys(DictStore):
    """Only commitments are kept."""

    def frozen(self):
        kept = (item for item in self._values.items() if b"/" in item[0] or item[0][-9:-8] == b"\x01")
        return frozenset(kept)


def sent(state) -> bool:
    return state.a.value(keys.next_sequence_key(CLIENT)) is not None


# --- one hop

DIRECT = [
    {"timeout": 3},
    {"timeout": 3, "accepts": False},
    {"timeout": 2, "depth": 1, "reorganisations": 1},
    {"timeout": 2, "quick_blocks": 1},
    {"timeout": 2, "depth": 2, "reorganisations": 1, "accepts": False},
]


@pytest.mark.long
@pytest.mark.parametrize("options", DIRECT, ids=str)
def test_attack_I1_one_packet_has_one_outcome_and_value_is_conserved(options):
    model = DirectPacket(**options)
    explored = explore(model)
    for kind in ("send", "receive", "timeout", "acknowledge", "update"):
        assert explored.taken[kind], f"{kind} never happened: the model shows nothing about it"
    assert bool(explored.taken["reorganisation"]) == bool(options.get("depth"))
    expect_progress(explored, lambda state: not sent(state) or amount(state.a, OUTCOME) == 1, "an outcome")


@pytest.mark.parametrize(
    ("options", "rules", "found"),
    [
        ({"rules_b": Rules(router=ReceivesTwice)}, "receipt", "minted"),
        ({"rules_b": Rules(store=LosesKeys)}, "receipts are never pruned", "minted"),
        (
            {"rules_b": Rules(router=ReceivesAtTheTimeout), "quick_blocks": 1, "timeout": 2},
            "receive before the timeout",
            "over an escrow of 0",
        ),
        (
            {"rules_a": Rules(clients=TimesOutEarly), "quick_blocks": 1, "timeout": 2},
            "timeout at its time",
            "over an escrow of 0",
        ),
        ({"rules_a": Rules(router=TimesOutByOwnClock)}, "the counterparty's own time", "over an escrow of 0"),
        ({"rules_a": Rules(clients=BelievesAbsence)}, "absence of the receipt", "over an escrow of 0"),
        ({"rules_a": Rules(router=KeepsCommitments), "accepts": False}, "commitment deleted", "two outcomes"),
        ({"depth": 1, "reorganisations": 1, "confirmations": 0}, "final headers only", "over an escrow of 0"),
    ],
)
def test_attack_I1_without_a_rule_the_model_finds_the_loss(options, rules, found):
    with pytest.raises(Violation, match=found) as caught:
        explore(DirectPacket(**{"timeout": 3} | options))
    assert any(step.startswith("send") for step in caught.value.trace), rules
    assert "1. " in str(caught.value)


def test_attack_E2_receive_and_timeout_exclude_each_other_in_every_interleaving():
    model = DirectPacket(timeout=3)
    explored = explore(model)
    received, timed_out = set(), set()
    for state in explored.states:
        receipt = state.b.value(receipt_key(model.packet)) is not None
        refunded = amount(state.a, OUTCOME) == 1 and amount(state.a, SENDER) == 1
        assert not (receipt and refunded)
        for name, after in model.steps(state):
            if after == state:
                continue
            if name.startswith("receive"):
                received.add(state.b.time_s)
            elif name.startswith("timeout"):
                timed_out.add(GENESIS_S + int(name.split()[5]))
    assert max(received) == model.timeout_s - 1, "one second before is in time"
    assert min(timed_out) == model.timeout_s, "the very second is too late"
    outcomes = {(amount(state.a, SENDER), amount(state.a, OUTCOME)) for state in explored.ends}
    assert outcomes == {(1, 0), (0, 1), (1, 1)}, "never sent, delivered, refunded"


# --- two hops

FORWARDED = [
    {"leg_1": 2, "leg_2": 3},
    {"leg_1": 2, "leg_2": 3, "accepts": False},
    {"leg_1": 2, "leg_2": 2},
    # three times the others together: CI explores it (`long`)
    pytest.param({"leg_1": 2, "leg_2": 2, "misbehaves": True}, marks=pytest.mark.long),
]


@pytest.mark.long
@pytest.mark.parametrize("options", FORWARDED, ids=str)
def test_attack_I1_forwarded_packet_has_one_outcome_whichever_leg_fails(options):
    explored = explore(ForwardedPacket(**options))
    for kind in ("send", "receive", "timeout", "acknowledge", "acknowledge-error", "update"):
        assert explored.taken[kind], f"{kind} never happened: the model shows nothing about it"
    assert bool(explored.taken["recovery"]) == options.get("misbehaves", False)
    expect_progress(explored, lambda state: not sent(state) or amount(state.a, OUTCOME) == 1, "an outcome")


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"forwarder": SettlesWithoutDeleting}, "do not live and die together"),
        ({"forwarder": SettlesNothing}, "never settled"),
        ({"forwarder": AnswersAtOnce}, "lost"),
        ({"rules": Rules(clients=UsesFrozenClients), "misbehaves": True}, "1 with the sender, 0 in escrow, 1 minted"),
        ({"rules": Rules(clients=KeepsForkedStates), "misbehaves": True}, "1 with the sender, 0 in escrow, 1 minted"),
        ({"rules": Rules(clients=ComparesWithForkedStates), "misbehaves": True}, "leg 1 was never settled"),
        ({"rules": Rules(clients=BelievesAbsence)}, "1 with the sender, 0 in escrow, 1 minted"),
    ],
)
def test_attack_I1_without_a_rule_the_forwarded_packet_is_lost_or_doubled(options, found):
    with pytest.raises(Violation, match=found):
        explore(ForwardedPacket(**{"leg_1": 2, "leg_2": 2} | options))


def test_attack_E18_hub_that_is_waited_for_never_holds_two_pending_records():
    """The pending record is there exactly from leg 2's commitment to its settlement, in every state."""
    model = ForwardedPacket(leg_1=2, leg_2=2)
    seen = {state.hub.value(keys.forward_key(OF_B, 1)) is not None for state in explore(model).states}
    assert seen == {True, False}
