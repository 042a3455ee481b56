"""Transfers that a limit of value refused: when its window ends, which their chain knows and no ledger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eth_utils.address import to_canonical_address

from hutong.adapters.evm.administration.limit_windows import MetLimit, met_limit, standing_limit, window_end_s
from hutong.adapters.evm.administration.moments import moment_text
from hutong.adapters.evm.administration.rights_reading import application_of
from hutong.adapters.evm.administration.transfer import Limit
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.interface import ChainAdapter, RefusedByChain
from hutong.relay.config import Config, EvmChainConfig
from hutong.relay.ledger import Explanation, LifeCycle


@dataclass(frozen=True, slots=True)
class RefusedReceive:
    """A receive of the packet `packet_id` that the application on `port` of `chain` refused at `at_s`, Unix time."""

    packet_id: str
    chain: str
    port: str
    met: MetLimit
    at_s: int


@dataclass(frozen=True, slots=True)
class ExceededWindow:
    """The limit that it met, as it stands now; `now_s` is the time of the chain's newest block."""

    receive: RefusedReceive
    limit: Limit
    now_s: int

    @property
    def packet_id(self) -> str:
        """Of whose receive it is."""
        return self.receive.packet_id

    def added_to(self, answer: Explanation) -> Explanation:
        """The answer of a ledger with what it cannot know: from when on such a transfer can arrive."""
        receive, cap = self.receive, self.limit.receive_cap
        if cap is not None and receive.met.amount > cap:
            said = f"a window of that limit lets {cap} arrive at most on {receive.chain}"
            return self._with(answer, said, "send less at once")
        ends_s = window_end_s(self.limit, receive.at_s)
        over = ends_s <= self.now_s
        said = f"the window of that limit on {receive.chain} {'ended' if over else 'ends'} at {moment_text(ends_s, self.now_s)}"
        return self._with(answer, said, "send it again" if over else "send it again after that")

    def _with(self, answer: Explanation, said: str, remedy: str) -> Explanation:
        return Explanation(f"{answer.waits_for}; {said}", remedy if answer.settled else answer.remedy, answer.settled)


def refused_receives(config: Config, lives: Sequence[LifeCycle]) -> tuple[RefusedReceive, ...]:
    """Of these packets the receives that a limit of a configured EVM chain refused."""
    return tuple(receive for life in lives for receive in _refused(config, life))


async def window_of(adapters: Mapping[str, ChainAdapter], receive: RefusedReceive) -> ExceededWindow | None:
    """The limit that a receive met; None where it stands no longer.

    Args:
        adapters: by the names of their chains; that of the receive is among them.

    Raises:
        AdapterError: the chain does not answer.
    """
    adapter = adapters[receive.chain]
    if not isinstance(adapter, RouterChain):
        return None
    execution = adapter.execution
    transfer = await application_of(execution, to_canonical_address(adapter.settings.router), receive.port)
    if transfer is None:
        return None
    try:
        limit = await standing_limit(execution, transfer, receive.met)
    except RefusedByChain:
        return None  # another application than hutong's, with another error of that name
    return None if limit is None else ExceededWindow(receive, limit, (await execution.latest_block()).time_s)


def _refused(config: Config, life: LifeCycle) -> Iterator[RefusedReceive]:
    packet = life.packet
    evm = {chain.name for chain in config.chains if isinstance(chain, EvmChainConfig)}
    if packet is None or packet.contents.app != "transfer" or packet.destination_chain not in evm:
        return
    for step in life.steps:
        met = met_limit(step.reason) if step.kind == "acknowledge" else None
        at_ns = step.block_time_ns if step.chain == packet.destination_chain else None
        if met is not None:
            at_s = (step.first_at_ns if at_ns is None else at_ns) // 10**9
            yield RefusedReceive(life.packet_id, packet.destination_chain, packet.destination_port, met, at_s)
            return
