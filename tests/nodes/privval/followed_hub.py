"""A hub of a stock signer, a stock simd and a dev chain of EVM: both hold clients of the hub, made by its first node."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from hutong.adapters.hub import HubChain, open_hub_chain
from hutong.relay.hub.home.initialise import initialise_home
from tests.adapters.conformance.lane import hub_settings, new_hub
from tests.nodes.privval.signed_hub import SignedHub
from tests.relay.hub.hub_process import HubProcess


def lane_home(home: Path) -> Path:
    """A home of the lane's hub: its admin and relayer have funds, and its clock is the machine's."""
    initialise_home(home, new_hub())
    return home


@asynccontextmanager
async def opened(node: HubProcess) -> AsyncIterator[HubChain]:
    """The product's adapter of a running node."""
    settings = hub_settings(node.eth_url.removeprefix("http://"), node.cometbft_url)
    async with open_hub_chain(settings, Random(1)) as chain:
        yield chain


def made_hub(folder: Path) -> SignedHub:
    return SignedHub.made(folder, lane_home)
