"""One client read, and brought on by headers of the chain that it follows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from hutong.adapters.interface import Batch, ChainAdapter, UpdateClient
from hutong.relay.administration.logs import log_update
from hutong.relay.administration.submission import submit_batch
from hutong.relay.config import AnyChainConfig, Config, PathEnd
from hutong.relay.config.logs import LogConfig
from hutong.relay.core.route.catching_up import in_transactions
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer

NANOSECONDS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One client as it stands; ages and periods in seconds. `expires_in_s` is below zero for one that has expired."""

    chain: str
    client: str
    type: str
    status: str
    latest_height: str
    age_s: int
    expires_in_s: int
    counterparty: str | None

    def as_dict(self) -> dict[str, str | int | None]:
        """The fields by their names."""
        return {name: getattr(self, name) for name in self.__slots__}


async def read_clients(config: Config, ends: Sequence[PathEnd], random: Random) -> list[ClientLine]:
    """How old the newest state of each is now, and when it expires.

    Raises:
        UnknownClient: a chain has no such client.
        AdapterError: a chain does not answer.
    """
    lines = []
    for end in ends:
        async with open_chain(config.chain(end.chain), random) as chain:
            lines.append(await client_line(chain, end))
    return lines


async def client_line(chain: ChainAdapter, end: PathEnd) -> ClientLine:
    """One client, asked of the chain that hosts it.

    Raises:
        UnknownClient: the chain has no such client.
        AdapterError: the chain does not answer.
    """
    info = await chain.client(end.client)
    age_ns = time.time_ns() - info.latest_timestamp_ns
    return ClientLine(
        end.chain,
        end.client,
        info.client_type,
        str(info.status),
        str(info.latest_height),
        age_ns // NANOSECONDS_PER_SECOND,
        (info.trusting_period_ns - age_ns) // NANOSECONDS_PER_SECOND,
        info.counterparty_client_id,
    )


async def bring_to_newest(
    host_config: AnyChainConfig, client: str, followed: AnyChainConfig, signer: Signer, random: Random
) -> str:
    """Bring a client to the newest header of the chain that it follows; the height at which it is then.

    Args:
        client: its identifier on the chain `host_config`.

    Raises:
        RefusedByChain: the chain refuses a header.
        AdapterError: a chain does not answer.
    """
    async with open_chain(host_config, random) as host, open_chain(followed, random) as source:
        info = await host.client(client)
        target = source.proving_height((await source.head()).height - 1)
        while info.latest_height < target:
            step = target
            if source.blocks_per_update is not None:
                furthest = info.latest_height.revision_height + source.blocks_per_update
                step = min(target, replace(target, revision_height=furthest))
            headers = await source.client_messages(info.client_type, info.client_state, info.latest_height, step)
            updates = tuple(UpdateClient(client, header) for header in headers)
            for group in in_transactions(updates, host.batch_limits):
                await submit_batch(host, Batch(group), signer, "updateClient")
            before, info = info, await host.client(client)
            if info.latest_height <= before.latest_height:
                break  # somebody froze it, or the node answers with an older state: the height says so
        return str(info.latest_height)


async def bring_to_log(host_config: AnyChainConfig, client: str, log: LogConfig, signer: Signer, random: Random) -> str:
    """Bring a client to the newest checkpoint of the signed log that it follows; the height at which it is then.

    Args:
        client: its identifier on the chain `host_config`.

    Raises:
        RefusedByChain: the chain refuses the update.
        AdapterError: chain or log do not answer.
    """
    async with open_chain(host_config, random) as host:
        header = await log_update(log, await host.client(client), random)
        if header is not None:
            await submit_batch(host, Batch((UpdateClient(client, header),)), signer, "updateClient")
        return str((await host.client(client)).latest_height)


async def submit_update(
    host_config: AnyChainConfig, client: str, message: bytes, signer: Signer, random: Random
) -> str:
    """Submit an update message that was made elsewhere; the height at which the client is then.

    Args:
        client: its identifier on the chain `host_config`.

    Raises:
        RefusedByChain: the chain refuses it.
        AdapterError: the chain does not answer.
    """
    async with open_chain(host_config, random) as host:
        await submit_batch(host, Batch((UpdateClient(client, message),)), signer, "updateClient")
        return str((await host.client(client)).latest_height)
