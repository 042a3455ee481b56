"""A chain of the models: a dict of state, finished blocks, and the product's own packet rules over it.

What runs here is `hutong.relay.hub.application`: PacketRouter, Forwarder and Clients decide every transaction. Only cryptography
is perfect and small: the light client believes exactly what a final block of the other chain held.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from hashlib import sha256
from typing import ClassVar

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientStatus,
    Created,
    Height,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStore,
    Updated,
    VerificationError,
)
from hutong.relay.hub.application.clients import (
    ClientNotActive,
    Clients,
    Counterparty,
    NoCounterparty,
    UnknownClient,
)
from hutong.relay.hub.application.packets.packets import (
    ApplicationRefused,
    CommitmentMismatch,
    CounterpartyMismatch,
    InvalidTimeout,
    PacketRouter,
)
from hutong.relay.hub.application.revision import rules_versions

CLIENT_TYPE = "model-client"
GENESIS_S = 1
"""Time 0 would read as no time."""
REFUSALS = (
    VerificationError,
    UnknownClient,
    NoCounterparty,
    ClientNotActive,
    InvalidTimeout,
    CounterpartyMismatch,
    CommitmentMismatch,
    ApplicationRefused,
)
"""What reverts a transaction on the hub; anything else would halt it, and ends the model."""

Facts = frozenset[tuple[bytes, bytes]]

_roots: dict[bytes, dict[bytes, bytes]] = {}


@cache
def root_of(facts: Facts) -> bytes:
    """A commitment to what a block holds."""
    root = sha256(b"".join(len(part).to_bytes(4, "big") + part for item in sorted(facts) for part in item)).digest()
    _roots[root] = dict(facts)
    return root


@cache
def provable(state: Facts) -> Facts:
    """The ICS-24 part, which is all that another chain can ask about."""
    return frozenset(item for item in state if b"/" not in item[0])


class DictStore:
    """`hutong.relay.hub.application.clients.Store` over a dict."""

    def __init__(self, state: Facts) -> None:
        self._values = dict(state)

    def frozen(self) -> Facts:
        return frozenset(self._values.items())

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def set(self, key: bytes, value: bytes) -> None:
        assert value
        self._values[key] = value

    def delete(self, key: bytes) -> None:
        self._values.pop(key, None)

    def next(self, key: bytes):
        ordered = sorted(self._values)
        at = bisect_right(ordered, key)
        return (ordered[at], self._values[ordered[at]]) if at < len(ordered) else None

    def previous(self, key: bytes):
        ordered = sorted(self._values)
        at = bisect_left(ordered, key)
        return (ordered[at - 1], self._values[ordered[at - 1]]) if at else None


@cache
def client_state(latest: int, frozen: bool = False) -> bytes:
    return json.dumps({"latest": latest, "frozen": frozen}).encode()


@cache
def header(height: int, time_s: int, root: bytes) -> bytes:
    return json.dumps({"height": height, "time": time_s, "root": root.hex()}).encode()


_read = lru_cache(maxsize=None)(json.loads)


class BelievingClient:
    """A light client whose headers are what the model says is final."""

    client_type: ClassVar[str] = CLIENT_TYPE
    proves_absence: ClassVar[bool] = True

    def create(self, state: bytes, consensus: bytes, now_ns: int) -> Created:
        return Created(self.latest_height(state))

    def check_destination(self, state: bytes, destination) -> None:
        """Good anywhere."""

    def status(self, state: bytes, states, now_ns: int) -> ClientStatus:
        return ClientStatus.FROZEN if _read(state)["frozen"] else ClientStatus.ACTIVE

    def proven_store(self, state: bytes) -> ProvenStore:
        """States of the model name no chain."""
        return ProvenStore("model", b"")

    def latest_height(self, state: bytes) -> Height:
        return Height(0, _read(state)["latest"])

    def timestamp_ns(self, consensus: bytes) -> int:
        return int(_read(consensus)["time"]) * NANOSECONDS_PER_SECOND

    def verify_header(self, state: bytes, states, message: bytes, now_ns: int):
        height = Height(0, _read(message)["height"])
        known = states.get(height)
        if known == message:
            return NoOp(height)
        if known is not None:
            return Misbehaved(height, client_state(_read(state)["latest"], frozen=True), "two headers of one height")
        return Updated(height, client_state(max(_read(state)["latest"], height.revision_height)), message)

    def check_misbehaviour(self, state: bytes, states, misbehaviour: bytes, now_ns: int) -> Misbehaved:
        return Misbehaved(Height(0, 1), client_state(_read(state)["latest"], frozen=True), "shown")

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        """Of one kind."""

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        return substitute

    @staticmethod
    def _held(consensus: bytes, path: tuple[bytes, ...]) -> bytes | None:
        return _roots[bytes.fromhex(_read(consensus)["root"])].get(path[-1])

    def verify_membership(self, state: bytes, consensus: bytes, proof: bytes, path, value: bytes) -> None:
        if self._held(consensus, path) != value:
            raise PredicateFailed("membership", "is not there")

    def verify_non_membership(self, state: bytes, consensus: bytes, proof: bytes, path) -> None:
        if self._held(consensus, path) is not None:
            raise PredicateFailed("non_membership", "is there")


LIGHT_CLIENTS = {CLIENT_TYPE: BelievingClient()}


@dataclass(frozen=True, slots=True)
class Chain:
    """`finished[h]` is what block `h` left, at the second `times_s[h]`; `now` is the open block, at `time_s`.

    Of blocks that no reorganisation reaches any more only the provable part is kept, so that histories fall together.
    """

    finished: tuple[Facts, ...]
    times_s: tuple[int, ...]
    now: Facts
    time_s: int
    reorganisations_left: int = 0
    quick_blocks_left: int = 0
    """How often the next block may come in the same second."""

    def value(self, key: bytes) -> bytes | None:
        return next((value for name, value in self.now if name == key), None)

    def tick(self, depth: int, seconds: int = 1) -> "Chain":
        """Finish the open block. A reorganisation may take the newest `depth`, and goes on from the block before them."""
        finished = (*self.finished, self.now)
        buried = max(len(finished) - (depth + 1 if self.reorganisations_left else 0), 0)
        return replace(
            self,
            finished=(*map(provable, finished[:buried]), *finished[buried:]),
            times_s=(*self.times_s, self.time_s),
            time_s=self.time_s + seconds,
            quick_blocks_left=self.quick_blocks_left - (seconds == 0),
        )

    def reorganised(self, depth: int) -> "Chain":
        """The newest `depth` finished blocks never were; the block after their parent is open again."""
        kept = len(self.finished) - depth
        return replace(
            self,
            finished=self.finished[:kept],
            times_s=self.times_s[:kept],
            now=self.finished[kept - 1],
            time_s=self.times_s[kept],
            reorganisations_left=self.reorganisations_left - 1,
        )

    def header(self, height: int) -> bytes:
        return header(height, self.times_s[height], root_of(provable(self.finished[height])))


def first_block(state: Facts, reorganisations: int = 0, quick_blocks: int = 0) -> Chain:
    """Block 0 is finished, block 1 open."""
    return Chain((state,), (GENESIS_S,), state, GENESIS_S + 1, reorganisations, quick_blocks)


@dataclass(frozen=True)
class Rules:
    """The classes that decide; the tests that turn a rule off put a weakened subclass here."""

    router: type[PacketRouter] = PacketRouter
    clients: type[Clients] = Clients
    store: type[DictStore] = DictStore


class Machine:
    """Executes transactions of one chain; every distinct one is computed once."""

    def __init__(self, rules: Rules, applications: Callable[[PacketRouter], Mapping[str, object]]) -> None:
        self._rules = rules
        self._applications = applications
        self._known: dict[object, Facts | None] = {}

    def apply(self, chain: Chain, name: object, transaction: Callable[[PacketRouter], object]) -> Chain | None:
        """The chain with the transaction in its open block, or None where it is refused. `name` says all that it does."""
        key = (chain.now, chain.time_s, name)
        if key not in self._known:
            self._known[key] = self._run(chain, transaction)
        after = self._known[key]
        return None if after is None else replace(chain, now=after)

    def _run(self, chain: Chain, transaction: Callable[[PacketRouter], object]) -> Facts | None:
        store = self._rules.store(chain.now)
        # The time of processing is metadata that no rule here reads; as a constant it does not multiply states.
        clients = self._rules.clients(LIGHT_CLIENTS, store, 0, 0, rules_versions.NEWEST)
        router = self._rules.router(store, clients, chain.time_s, lambda *_: None)
        router.applications = self._applications(router)
        try:
            transaction(router)
        except REFUSALS:
            return None
        return store.frozen()


def first_state(rules: Rules, peers: Mapping[str, str], contents: Mapping[bytes, bytes]) -> Facts:
    """A state with one client per own identifier, whose counterparty is the other's; they know block 0 of each other."""
    store = rules.store(frozenset(contents.items()))
    # the model's client states name no chain, which rules that compare them would take for one
    clients = rules.clients(LIGHT_CLIENTS, store, 0, 0, rules_versions.FIRST)
    empty = header(0, GENESIS_S, root_of(frozenset()))
    for own, other in peers.items():
        assert clients.create(CLIENT_TYPE, client_state(0), empty, chain_id="model-1", router=bytes(20)) == own
        clients.register_counterparty(own, Counterparty(other, (b"",)))
    return store.frozen()
