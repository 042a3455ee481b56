"""One token packet from A to B: clocks that drift apart, reorganisations, and relayers that may do anything at any time.

Any number of relayers, each with any proof that was ever true, comes to the same as every message at every moment: so
two relayers, stale messages and duplicates are all in here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from hutong.light_clients.ibc.commitment import commitment_key, receipt_key
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Acknowledgement, Packet, Payload
from hutong.light_clients.interface import Height
from hutong.relay.hub.application.packets.packets import ApplicationRefused, PacketRouter, RelayedProof
from hutong.relay.hub.application.packets.shared_quotas import HUB_ACCOUNTS
from hutong.relay.hub.state import keys
from tests.models.ledger import CLIENT_TYPE, GENESIS_S, Chain, Machine, Rules, first_block, first_state

CLIENT = f"{CLIENT_TYPE}-0"
PORT = "model"
PAYLOAD = Payload(PORT, PORT, "v1", "text", b"one token")
SUCCESS = b"\x01"
SENDER, ESCROW, MINTED, OUTCOME = b"app/sender", b"app/escrow", b"app/minted", b"app/outcome"


class Token:
    """Escrow at the sender, mint at the receiver, refund when told that it failed. `accepts`: what B's app says."""

    def __init__(self, router: PacketRouter, *, accepts: bool) -> None:
        self._router = router
        self._accepts = accepts

    def add(self, key: bytes, amount: int) -> None:
        value = self._router.store.get(key) or b"\x01"
        self._router.store.set(key, bytes([value[0] + amount]))

    def send(self, timeout_s: int) -> Packet:
        self.add(SENDER, -1)
        self.add(ESCROW, 1)
        return self._router.send(CLIENT, timeout_s, PAYLOAD, HUB_ACCOUNTS)

    def on_receive(self, packet: Packet) -> bytes | None:
        if not self._accepts:
            raise ApplicationRefused("not wanted")
        self.add(MINTED, 1)
        return SUCCESS

    def on_acknowledgement(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        if acknowledgement.is_error:
            self._refund()
        else:
            self.add(OUTCOME, 1)

    def on_timeout(self, packet: Packet) -> None:
        self._refund()

    def _refund(self) -> None:
        self.add(ESCROW, -1)
        self.add(SENDER, 1)
        self.add(OUTCOME, 1)


def amount(chain: Chain, key: bytes) -> int:
    """Stored with 1 for none, as a stored value is never empty."""
    return (chain.value(key) or b"\x01")[0] - 1


@dataclass(frozen=True, slots=True)
class Pair:
    a: Chain
    b: Chain


class DirectPacket:
    """`depth` k: a chain may lose its newest k blocks, `reorganisations` times; clients take headers k below the head.

    `quick_blocks` of each chain share a second with the block before them.
    """

    def __init__(
        self,
        *,
        depth: int = 0,
        reorganisations: int = 0,
        quick_blocks: int = 0,
        timeout: int = 2,
        accepts: bool = True,
        confirmations: int | None = None,
        rules_a: Rules | None = None,
        rules_b: Rules | None = None,
    ) -> None:
        self.depth = depth
        self.confirmations = depth if confirmations is None else confirmations
        self.reorganisations = reorganisations
        self.quick_blocks = quick_blocks
        self.timeout_s = GENESIS_S + timeout
        self.last_time_s = self.timeout_s + 1 + depth
        """One finished block at the timeout or after it, and as many above it as make it final."""
        self._rules = (rules_a or Rules(), rules_b or Rules())
        self._machines = tuple(
            Machine(rules, lambda router: {PORT: Token(router, accepts=accepts)}) for rules in self._rules
        )
        self.packet = Packet(1, CLIENT, CLIENT, self.timeout_s, (PAYLOAD,))
        self.accepts = accepts

    def initial(self) -> Pair:
        chains = []
        for rules, contents in zip(self._rules, ({SENDER: b"\x02"}, {}), strict=True):
            state = first_state(rules, {CLIENT: CLIENT}, contents)
            chains.append(first_block(state, self.reorganisations, self.quick_blocks))
        return Pair(*chains)

    def steps(self, state: Pair) -> Iterable[tuple[str, Pair]]:
        for side, other in (("a", "b"), ("b", "a")):
            chain, peer = getattr(state, side), getattr(state, other)
            for name, after in self._of_chain(side, chain, peer):
                if after is not None:
                    yield f"{name} {side.upper()}", replace(state, **{side: after})

    def _of_chain(self, side: str, chain: Chain, peer: Chain) -> Iterable[tuple[str, Chain | None]]:
        machine = self._machines[side == "b"]
        if chain.time_s < self.last_time_s:
            yield f"block at {chain.time_s} of", chain.tick(self.depth)
        if chain.quick_blocks_left:
            yield f"quick block at {chain.time_s} of", chain.tick(self.depth, 0)
        if chain.reorganisations_left:
            for lost in range(1, min(self.depth, len(chain.finished) - 1) + 1):
                yield f"reorganisation of {lost} blocks on", chain.reorganised(lost)
        final = len(peer.finished) - 1 - self.confirmations
        if final > 0:
            message = peer.header(final)
            update = partial(self._update, message)
            yield f"update to {final} of the client on", machine.apply(chain, message, update)
        for height in self._known(chain):
            proof = RelayedProof(Height(0, height), b"")
            for kind in ("receive",) if side == "b" else ("acknowledge", "timeout"):
                act = partial(self._relay, kind, proof)
                yield f"{kind} with a proof at {height} on", machine.apply(chain, (kind, height), act)
        if side == "a" and chain.time_s < self.timeout_s and self._sendable(chain):
            yield "send on", machine.apply(chain, "send", self._send)

    @staticmethod
    def _sendable(chain: Chain) -> bool:
        return chain.value(keys.next_sequence_key(CLIENT)) is None

    @staticmethod
    def _known(chain: Chain) -> list[int]:
        prefix = keys.consensus_prefix(CLIENT)
        return sorted(int.from_bytes(key[-8:], "big") for key, _ in chain.now if key.startswith(prefix))

    @staticmethod
    def _update(message: bytes, router: PacketRouter) -> None:
        router.clients.update(CLIENT, message)

    def _send(self, router: PacketRouter) -> None:
        router.applications[PORT].send(self.timeout_s)

    def _relay(self, kind: str, proof: RelayedProof, router: PacketRouter) -> None:
        match kind:
            case "receive":
                router.receive(self.packet, proof)
            case "acknowledge":
                router.acknowledge(self.packet, SUCCESS if self.accepts else ERROR_ACKNOWLEDGEMENT, proof)
            case "timeout":
                router.timeout(self.packet, proof)

    def violation(self, state: Pair) -> str | None:
        sender, escrow, minted = amount(state.a, SENDER), amount(state.a, ESCROW), amount(state.b, MINTED)
        if amount(state.a, OUTCOME) > 1:
            return "A's app heard of two outcomes"
        if sender + escrow != 1 or escrow < 0:
            return f"A holds {sender} with the sender and {escrow} in escrow of one token"
        if minted > escrow:
            return f"B minted {minted} over an escrow of {escrow}"
        return None

    def violation_at_end(self, state: Pair) -> str | None:
        if self._sendable(state.a):
            return None
        if state.a.value(commitment_key(self.packet)) is not None:
            return "the packet was never settled"
        if amount(state.a, OUTCOME) != 1:
            return f"A's app heard of {amount(state.a, OUTCOME)} outcomes"
        received = state.b.value(receipt_key(self.packet)) is not None
        if received and self.accepts != (amount(state.b, MINTED) == 1):
            return "B's app did not do what it answered"
        if amount(state.a, SENDER) + amount(state.b, MINTED) != 1:
            return "the token is lost"
        return None
