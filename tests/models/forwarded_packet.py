"""One token packet A → hub → B: both legs, timeouts on either, the hub's client of B forged upon, frozen and recovered.

The hub runs the product's Forwarder. B's validators may sign a second, forged block that lacks every receipt while leg 2 is under
way; evidence of it freezes the client in the same block. Admins recover it later with a substitute that honest headers made.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.commitment import commitment_key
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    MAX_HOPS,
    STAMP_VERSION,
    ForwardRequest,
    OriginStamp,
    StampedPayload,
    encode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Packet, Payload
from hutong.light_clients.interface import Height
from hutong.relay.hub.application.packets.forwarder import Forwarder
from hutong.relay.hub.application.packets.packets import PacketRouter, RelayedProof
from hutong.relay.hub.application.packets.shared_quotas import HUB_ACCOUNTS
from hutong.relay.hub.state import keys
from tests.models.direct_packet import ESCROW, MINTED, OUTCOME, PORT, SENDER, SUCCESS, Token, amount
from tests.models.ledger import (
    CLIENT_TYPE,
    GENESIS_S,
    LIGHT_CLIENTS,
    Chain,
    Machine,
    Rules,
    client_state,
    first_block,
    first_state,
    header,
    provable,
    root_of,
)

OF_A, OF_B, SUBSTITUTE = (f"{CLIENT_TYPE}-{number}" for number in range(3))
"""The hub's clients; A and B each have one of the hub, of the name OF_A."""
OF_HUB = OF_A


@dataclass(frozen=True, slots=True)
class Network:
    a: Chain
    hub: Chain
    b: Chain
    frozen: str = "never"
    """`never`, `now`, `recovered`: once in a run."""


class ForwardedPacket:
    """T1 and T2 are `leg_1` and `leg_2` seconds after the start."""

    def __init__(
        self,
        *,
        leg_1: int = 2,
        leg_2: int = 3,
        accepts: bool = True,
        misbehaves: bool = False,
        quick_blocks: int = 0,
        rules: Rules | None = None,
        forwarder: Callable[[PacketRouter], Forwarder] = Forwarder,
    ) -> None:
        self.t1_s, self.t2_s = GENESIS_S + leg_1, GENESIS_S + leg_2
        self.last_s = {"a": self.t1_s, "hub": max(self.t1_s + 1, self.t2_s), "b": self.t2_s + 1}
        self.accepts = accepts
        self.misbehaves = misbehaves
        self.quick_blocks = quick_blocks
        self._hub_rules = rules or Rules()
        request = ForwardRequest(OF_B, PORT, "v1", "text", self.t2_s, b"one token")
        leg_1_payload = Payload(PORT, FORWARD_PORT, FORWARD_VERSION, ABI_ENCODING, encode_forward_request(request))
        self.leg_1 = Packet(1, OF_HUB, OF_A, self.t1_s, (leg_1_payload,))
        stamp = OriginStamp(STAMP_VERSION, OF_A, PORT, FORWARD_PORT, 1, MAX_HOPS)
        value = encode_stamped_payload(StampedPayload(stamp, "v1", "text", b"one token"))
        onward = Payload(FORWARD_PORT, PORT, FORWARD_VERSION, ABI_ENCODING, value)
        self.leg_2 = Packet(1, OF_B, OF_HUB, self.t2_s, (onward,))
        ends = lambda router: {PORT: Token(router, accepts=accepts)}  # noqa: E731
        self._machines = {
            "a": Machine(Rules(), ends),
            "hub": Machine(self._hub_rules, lambda router: {FORWARD_PORT: forwarder(router)}),
            "b": Machine(Rules(), ends),
        }

    def initial(self) -> Network:
        states = (
            first_state(Rules(), {OF_HUB: OF_A}, {SENDER: b"\x02"}),
            first_state(self._hub_rules, {OF_A: OF_HUB, OF_B: OF_HUB}, {}),
            first_state(Rules(), {OF_HUB: OF_B}, {}),
        )
        return Network(*(first_block(state, 0, self.quick_blocks) for state in states))

    def steps(self, state: Network) -> Iterable[tuple[str, Network]]:
        moves = {"a": self._of_a(state), "hub": self._of_hub(state), "b": self._of_b(state)}
        for side, of_chain in moves.items():
            for name, after in of_chain:
                if after is not None:
                    yield f"{name} {side}", replace(state, **{side: after})
        if self.misbehaves:
            yield from self._misbehaviour(state)

    def _blocks(self, side: str, chain: Chain) -> Iterable[tuple[str, Chain | None]]:
        """Time ends for the model, but what stands in the open block still gets finished."""
        if chain.time_s < self.last_s[side] or provable(chain.now) != provable(chain.finished[-1]):
            yield f"block at {chain.time_s} of", chain.tick(0)
        if chain.quick_blocks_left:
            yield f"quick block at {chain.time_s} of", chain.tick(0, 0)

    def _update(self, side: str, chain: Chain, client: str, peer: Chain) -> Iterable[tuple[str, Chain | None]]:
        final = len(peer.finished) - 1
        if final > 0:
            message = peer.header(final)
            act = lambda router: router.clients.update(client, message)  # noqa: E731
            yield f"update to {final} of {client} on", self._machines[side].apply(chain, (client, message), act)

    def _relay(self, side: str, chain: Chain, client: str, kind: str, act) -> Iterable[tuple[str, Chain | None]]:
        prefix = keys.consensus_prefix(client)[:-1]  # of every generation
        for height in sorted({int.from_bytes(key[-8:], "big") for key, _ in chain.now if key.startswith(prefix)}):
            proof = RelayedProof(Height(0, height), b"")
            after = self._machines[side].apply(chain, (kind, height), partial(act, proof=proof))
            yield f"{kind} with a proof at {height} on", after

    def _of_a(self, state: Network) -> Iterable[tuple[str, Chain | None]]:
        a = state.a
        yield from self._blocks("a", a)
        yield from self._update("a", a, OF_HUB, state.hub)
        if a.value(keys.next_sequence_key(OF_HUB)) is None:
            if a.time_s < self.t1_s:
                yield "send on", self._machines["a"].apply(a, "send", self._send)
            return
        answer = ERROR_ACKNOWLEDGEMENT
        for kind, acknowledgement in (("acknowledge", SUCCESS), ("acknowledge-error", answer)):
            act = lambda router, proof, given=acknowledgement: router.acknowledge(self.leg_1, given, proof)  # noqa: E731
            yield from self._relay("a", a, OF_HUB, kind, act)
        yield from self._relay("a", a, OF_HUB, "timeout", lambda router, proof: router.timeout(self.leg_1, proof))

    def _of_hub(self, state: Network) -> Iterable[tuple[str, Chain | None]]:
        hub = state.hub
        yield from self._blocks("hub", hub)
        yield from self._update("hub", hub, OF_A, state.a)
        yield from self._update("hub", hub, OF_B, state.b)
        yield from self._relay("hub", hub, OF_A, "receive", lambda router, proof: router.receive(self.leg_1, proof))
        given = SUCCESS if self.accepts else ERROR_ACKNOWLEDGEMENT
        yield from self._relay(
            "hub", hub, OF_B, "acknowledge", lambda router, proof: router.acknowledge(self.leg_2, given, proof)
        )
        yield from self._relay("hub", hub, OF_B, "timeout", lambda router, proof: router.timeout(self.leg_2, proof))

    def _of_b(self, state: Network) -> Iterable[tuple[str, Chain | None]]:
        if state.frozen == "now" and len(state.b.finished) <= self.last_s["b"] + 2:
            yield "block for a recovery of", state.b.tick(0)
        else:
            yield from self._blocks("b", state.b)
        yield from self._update("b", state.b, OF_HUB, state.hub)
        yield from self._relay("b", state.b, OF_HUB, "receive", lambda router, proof: router.receive(self.leg_2, proof))

    def _send(self, router: PacketRouter) -> None:
        router.applications[PORT].add(SENDER, -1)
        router.applications[PORT].add(ESCROW, 1)
        router.send(OF_HUB, self.t1_s, self.leg_1.payloads[0], HUB_ACCOUNTS)

    def _misbehaviour(self, state: Network) -> Iterable[tuple[str, Network]]:
        hub, machine = state.hub, self._machines["hub"]
        if state.frozen == "never" and hub.value(keys.forward_key(OF_B, 1)) is not None:
            height = len(state.b.finished)
            forged = header(height, self.t2_s, root_of(frozenset()))

            def freeze(router: PacketRouter) -> None:
                router.clients.update(OF_B, forged)
                router.clients.submit_misbehaviour(OF_B, b"evidence")

            after = machine.apply(hub, ("freeze", height), freeze)
            if after is not None:
                yield f"forged block {height} and evidence on hub", replace(state, hub=after, frozen="now")
        elif state.frozen == "now":
            height = len(state.b.finished) - 1
            honest = state.b.header(height)

            def recover(router: PacketRouter) -> None:
                created = router.clients.create(
                    CLIENT_TYPE, client_state(height), honest, chain_id="model-1", router=bytes(20)
                )
                router.clients.recover(OF_B, created)

            after = machine.apply(hub, ("recover", height, honest), recover)
            if after is not None:
                yield f"recovery at {height} on hub", replace(state, hub=after, frozen="recovered")

    def violation(self, state: Network) -> str | None:
        sender, escrow, minted = amount(state.a, SENDER), amount(state.a, ESCROW), amount(state.b, MINTED)
        if amount(state.a, OUTCOME) > 1:
            return "A's app heard of two outcomes"
        if sender + escrow != 1 or minted > escrow:
            return f"{sender} with the sender, {escrow} in escrow, {minted} minted of one token"
        waits = state.hub.value(keys.forward_key(OF_B, 1)) is not None
        if waits != (state.hub.value(commitment_key(self.leg_2)) is not None):
            return "the hub's pending record and leg 2's commitment do not live and die together"
        return None

    def violation_at_end(self, state: Network) -> str | None:
        if state.a.value(keys.next_sequence_key(OF_HUB)) is None:
            return None
        if state.frozen == "now":
            return "the client could not be recovered"
        if state.a.value(commitment_key(self.leg_1)) is not None:
            return "leg 1 was never settled"
        if amount(state.a, OUTCOME) != 1 or amount(state.a, SENDER) + amount(state.b, MINTED) != 1:
            return "the token is lost"
        return None


assert set(LIGHT_CLIENTS) == {CLIENT_TYPE}
