"""Evidence that the chain which a client follows has two histories: judged here, then sent."""

import time
from random import Random

from hutong.adapters.interface import Batch, SubmitMisbehaviour
from hutong.light_clients.interface import ClientStatus
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.submission import submit_batch
from hutong.relay.config import AnyChainConfig
from hutong.relay.core.clients.evidence import ConflictingHeader, judge_evidence, tendermint_evidence
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer

Headers = tuple[ConflictingHeader, ConflictingHeader]


async def submit_evidence(
    host_config: AnyChainConfig,
    client: str,
    given: bytes | tuple[Headers, AnyChainConfig],
    signer: Signer,
    random: Random,
) -> str:
    """Freeze a client, if the evidence holds by the client's own rules.

    Args:
        client: its identifier on the chain `host_config`.
        given: the client type's message, or two headers to make it of with the chain that the client follows.

    Returns:
        Why the client is frozen.

    Raises:
        Declined: the chain took the evidence, and the client is not frozen.
        VerificationError: the evidence does not hold.
        AdapterError: a chain does not answer, or refuses it.
    """
    async with open_chain(host_config, random) as host:
        await host.check_identity()
        info = await host.client(client)
        if isinstance(given, bytes):
            encoded = given
        else:
            headers, followed = given
            async with open_chain(followed, random) as source:
                encoded = await tendermint_evidence(host, info, source, headers)
        verdict = await judge_evidence(host, info, encoded, time.time_ns)
        await submit_batch(host, Batch((SubmitMisbehaviour(client, encoded),)), signer, "submitMisbehaviour")
        status = (await host.client(client)).status
        if status is not ClientStatus.FROZEN:
            raise Declined(f"{host_config.name} took the evidence and {client} is {status}")
        return verdict.reason
