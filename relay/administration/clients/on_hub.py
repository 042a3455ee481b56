"""Clients that a hub's admins make and recover."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hutong.adapters.hub.admin import create_client, created_client, recover_client, register_counterparty
from hutong.light_clients.interface import VerificationError
from hutong.light_clients.table import light_client
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.hub.access import approve_on, open_hub
from hutong.relay.administration.submission import new_salt
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client of that type, and who is at its other end."""

    client_type: str
    client_state: bytes
    consensus_state: bytes
    counterparty: str | None
    merkle_prefix: tuple[bytes, ...]

    def require_good_states(self) -> None:
        """Demand that the client's own rules take both states now.

        Raises:
            Declined: they do not, or there is no such type.
        """
        try:
            light_client(self.client_type).create(self.client_state, self.consensus_state, time.time_ns())
        except VerificationError as error:
            raise Declined(f"no client of type {self.client_type} begins with these states: {error}") from None


async def create(hub: HubChainConfig, new: NewClient, admins: Sequence[Signer], random: Random) -> str:
    """Make the client, and register who is at its other end; its identifier.

    Args:
        admins: as many as the hub's threshold asks for.

    Raises:
        RefusedByChain, VerificationError, AdapterError: as `approve_on`.
    """
    async with open_hub(hub, random) as chain:
        creation = create_client(new_salt(), new.client_type, new.client_state, new.consensus_state)
        client_id = created_client(await approve_on(hub, chain, admins, creation))
        if new.counterparty is not None:
            action = register_counterparty(new_salt(), client_id, new.counterparty, new.merkle_prefix)
            await approve_on(hub, chain, admins, action)
        return client_id


async def recover(hub: HubChainConfig, subject: str, substitute: str, admins: Sequence[Signer], random: Random) -> None:
    """Let a frozen or expired client go on with a substitute's state (ICS-02 recovery).

    Raises:
        MalformedInput: one of them is no identifier.
        RefusedByChain, VerificationError, AdapterError: as `approve_on`.
    """
    async with open_hub(hub, random) as chain:
        await approve_on(hub, chain, admins, recover_client(new_salt(), subject, substitute))
