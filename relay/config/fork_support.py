"""Chains whose consensus has passed into a fork that no light client here verifies."""

from collections.abc import Iterator
from datetime import UTC, datetime

from hutong.relay.config.chains import EvmChainConfig
from hutong.relay.config.errors import Problem
from hutong.relay.config.model import Config
from hutong.relay.config.networks import read_network


def chains_beyond(config: Config, now_s: float) -> Iterator[Problem]:
    """One problem for each chain of Ethereum's consensus that is, by its schedule, under an unsupported fork at `now_s`.

    Networks that cannot be read are passed over: `file_problems` names them.
    """
    from hutong.light_clients.ethereum.forks import NEWEST_FORK

    for index, chain in enumerate(config.chains):
        if not isinstance(chain, EvmChainConfig) or chain.network is None:
            continue
        try:
            network = read_network(chain.network)
        except ValueError:
            continue
        activation = network.unsupported_from
        if activation is None:
            continue
        begins_s = network.epoch_time_s(activation.epoch)
        if begins_s > now_s:
            continue
        since = datetime.fromtimestamp(begins_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield Problem(
            f"chains.{index}.network",
            f"{chain.name} is under {activation.fork.name} since epoch {activation.epoch} ({since}), and the newest fork whose"
            f" headers are verified is {NEWEST_FORK.name}: nothing newer is delivered from it",
            'follow it through attestors (consensus = "attested"), or take the chain out',
        )
