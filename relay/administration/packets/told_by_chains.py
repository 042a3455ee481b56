"""What chains know of a packet and no ledger: amounts that are kept for owners, and windows of limits that it met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hutong.adapters.interface import ChainAdapter
from hutong.relay.administration.packets.asking import ask_chains
from hutong.relay.administration.packets.exceeded import ExceededWindow, RefusedReceive, refused_receives, window_of
from hutong.relay.administration.packets.held import Kept, Place, kept_at, places_of
from hutong.relay.config import Config
from hutong.relay.ledger import Explanation, LifeCycle

Told: TypeAlias = Kept | ExceededWindow


@dataclass(frozen=True, slots=True)
class Questions:
    """What is to be asked; nothing for most packets."""

    places: tuple[Place, ...]
    receives: tuple[RefusedReceive, ...]

    @classmethod
    def of(cls, config: Config, lives: Sequence[LifeCycle]) -> "Questions":
        """Those that these packets leave open; only of EVM chains of the configuration. Asks nobody."""
        return cls(places_of(config, lives), refused_receives(config, lives))

    @property
    def chains(self) -> set[str]:
        """Whom to ask, by the names of the configuration."""
        return {place.chain for place in self.places} | {receive.chain for receive in self.receives}

    async def ask(self, adapters: Mapping[str, ChainAdapter]) -> tuple[Told, ...]:
        """What the chains say.

        Args:
            adapters: of at least `chains`, by name.

        Raises:
            AdapterError: one does not answer.
        """
        kept = [await kept_at(adapters, place) for place in self.places]
        windows = [await window_of(adapters, receive) for receive in self.receives]
        return tuple(one for one in (*kept, *windows) if one is not None)


def told_of(config: Config, lives: Sequence[LifeCycle]) -> tuple[Told, ...]:
    """What the configured EVM chains know of these packets; asks only those that may know something.

    Raises:
        Unusable: a chain does not answer.
    """
    questions = Questions.of(config, lives)
    return ask_chains(config, questions.chains, questions.ask) if questions.chains else ()


def answer_with(answer: Explanation, told: Sequence[Told], legs: Sequence[str]) -> Explanation:
    """A ledger's answer about one of `legs` with what chains told of any of them."""
    for leg in legs:
        for one in told:
            if one.packet_id == leg:
                answer = one.added_to(answer)
    return answer
