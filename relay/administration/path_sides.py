"""The two sides of a path that is being made, and what an earlier run has made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hutong.relay.config import HubChainConfig

if TYPE_CHECKING:
    from hutong.adapters.evm import EvmChain
    from hutong.adapters.evm.administration.deciding import Deciding
    from hutong.adapters.hub import HubChain
    from hutong.adapters.ics26.transactor import Transactor


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier run has made: the hub's client, and the light client contract on the chain."""

    on_hub: str
    light_client: bytes


@dataclass(frozen=True, slots=True)
class Side:
    """The chain's side: who decides there, its router, and the applications that shall listen to the hub."""

    chain: "EvmChain"
    owning: "Deciding"
    router: bytes
    apps: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Hub:
    config: HubChainConfig
    chain: "HubChain"
    admins: "Sequence[Transactor]"
