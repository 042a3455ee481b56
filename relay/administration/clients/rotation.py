"""The next set of attestors, signed by the present one, brought to its client."""

import time
from dataclasses import dataclass
from random import Random

from hutong.adapters.interface import Batch, UpdateClient
from hutong.light_clients.interface import Updated
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.submission import submit_batch
from hutong.relay.config import AnyChainConfig
from hutong.relay.core.clients.rotation import judge_rotation, rotation_update
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class SignedRotation:
    """The data that all have signed, and their signatures; neither is judged yet."""

    data: bytes
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AttestorsInForce:
    """What stands after a rotation; `previous_until_height` is 0 where the previous set ended at once."""

    set_number: int
    threshold: int
    attestors: int
    previous_until_height: int


async def rotate_attestors(
    host_config: AnyChainConfig, client: str, signed: SignedRotation, signer: Signer, random: Random
) -> AttestorsInForce:
    """Put a set of attestors in force, if the client's own rules take it.

    Args:
        client: its identifier on the chain `host_config`.

    Raises:
        Declined: the client would not take it.
        VerificationError: the rotation does not hold.
        AdapterError: the chain does not answer, or refuses it.
    """
    async with open_chain(host_config, random) as host:
        await host.check_identity()
        info = await host.client(client)
        update = rotation_update(info.client_state, signed.data, signed.signatures)
        rotation, verdict = await judge_rotation(host, info, update, signed.data, time.time_ns)
        if not isinstance(verdict, Updated):
            raise Declined(f"{client} would not take it: {verdict}")
        await submit_batch(host, Batch((UpdateClient(client, update),)), signer, "updateClient")
        return AttestorsInForce(
            rotation.set_number, rotation.threshold, len(rotation.attestors), rotation.previous_until_height
        )
