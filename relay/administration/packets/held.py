"""Tokens of a packet that its chain still keeps for their owner, as the chain says and no ledger knows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration.rights_reading import application_of
from hutong.adapters.evm.administration.transfer import HeldAmount, held_amount
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.interface import ChainAdapter, RefusedByChain
from hutong.relay.config import Config, EvmChainConfig
from hutong.relay.ledger import Explanation, LifeCycle, Outcome


@dataclass(frozen=True, slots=True)
class Place:
    """Where tokens of the packet `packet_id` may be kept: by the application on `port` of an EVM chain."""

    packet_id: str
    chain: str
    port: str
    refund: bool
    client: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept there; `transfer` is an EIP-55 address, `now_s` the time of the chain's newest block."""

    place: Place
    transfer: str
    amount: HeldAmount
    now_s: int

    @property
    def packet_id(self) -> str:
        """Of whose packet it is kept."""
        return self.place.packet_id

    def added_to(self, answer: Explanation) -> Explanation:
        """The answer of a ledger with what it cannot know: that the owner has not been paid yet."""
        place, held = self.place, self.amount
        until = datetime.fromtimestamp(held.releasable_at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        what = f"{held.amount} of {held.token} for {held.owner}"
        command = (
            f"hutong transfer release --config relay.toml --keystore KEY.json --chain {place.chain} --transfer {self.transfer}"
            f" --client {place.client} --sequence {place.sequence}"
        )
        if place.refund:
            said = f"the token refused the refund: {what} is held on {place.chain}"
            remedy = f"release it with: {command} --refund (or the owner claims it to another account: hutong transfer claim)"
        elif held.releasable_at_s > self.now_s:
            said, remedy = f"{what} is held on {place.chain} until {until}", f"release it then with: {command}"
        else:
            said = f"{what} is held on {place.chain}, and may be paid since {until}"
            remedy = f"release it with: {command}"
        if not answer.settled:
            remedy = f"{remedy}; for the packet: {answer.remedy}"
        return Explanation(f"{answer.waits_for}; {said}", remedy, answer.settled)


def places_of(config: Config, lives: Sequence[LifeCycle]) -> tuple[Place, ...]:
    """Where the configured EVM chains may keep something of these packets."""
    return tuple(place for life in lives for place in _places(config, life))


async def kept_at(adapters: Mapping[str, ChainAdapter], place: Place) -> Kept | None:
    """What is kept there; None where that is nothing.

    Args:
        adapters: by the names of their chains; that of the place is among them.

    Raises:
        AdapterError: the chain does not answer.
    """
    adapter = adapters[place.chain]
    if not isinstance(adapter, RouterChain):
        return None
    execution = adapter.execution
    transfer = await application_of(execution, to_canonical_address(adapter.settings.router), place.port)
    if transfer is None:
        return None
    try:
        held = await held_amount(execution, transfer, place.refund, place.client, place.sequence)
    except RefusedByChain:
        return None  # another application than hutong's, which keeps nothing
    if held is None:
        return None
    return Kept(place, to_checksum_address(transfer), held, (await execution.latest_block()).time_s)


def _places(config: Config, life: LifeCycle) -> Iterator[Place]:
    packet = life.packet
    if packet is None or packet.contents.app != "transfer":
        return
    evm = {chain.name for chain in config.chains if isinstance(chain, EvmChainConfig)}
    failed = packet.outcome == Outcome.TIMED_OUT or packet.refused is True
    unknown = packet.outcome == Outcome.SETTLED
    if packet.destination_chain in evm and not failed and (packet.outcome is not None or packet.received):
        yield Place(
            *(life.packet_id, packet.destination_chain, packet.destination_port),
            *(False, packet.destination_client, packet.sequence),
        )
    if packet.source_chain in evm and packet.outcome is not None and (failed or unknown):
        yield Place(
            life.packet_id, packet.source_chain, packet.source_port, True, packet.source_client, packet.sequence
        )
