"""Whom an operator serves: writers that its configuration names, with the accounts that configuration or hub say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.operator.hub_door import HubDoor
from hutong.relay.services.storage.rules.operator_api.refusals import RefusalCode, RequestRefused
from hutong.relay.services.storage.rules.records.keys import party_key
from hutong.relay.services.storage.rules.records.members import PartyRole, decode_party_record

REMEMBERED_S = 60
"""How long an account that the hub said is believed: so long a writer that was taken away is served still."""


@dataclass(frozen=True, slots=True)
class ServedWriter:
    """One line of the configuration."""

    writer: bytes
    account: bytes | None
    """20 bytes; None where the hub says it."""
    most_bytes: int | None
    is_repairer: bool


@dataclass(frozen=True, slots=True)
class KnownWriter:
    """A writer, or a repairer, and its account now."""

    served: ServedWriter
    account: bytes


class Writers:
    """Accounts by id."""

    def __init__(self, served: Mapping[bytes, ServedWriter], hub: HubDoor | None, now_s: Callable[[], int]) -> None:
        self._served = served
        self._hub = hub
        self._now_s = now_s
        self._known: dict[bytes, tuple[int, bytes]] = {}

    def served(self, writer: bytes) -> ServedWriter | None:
        """A writer's line in the configuration."""
        return self._served.get(writer)

    async def known(self, writer: bytes) -> KnownWriter:
        """A writer that is served, with its account.

        Raises:
            RequestRefused: it is not served, or the hub does not say its account.
        """
        served = self._served.get(writer)
        if served is None:
            raise RequestRefused(RefusalCode.FORBIDDEN, f"writer {writer.hex()} is not served here")
        if self._hub is None:
            if served.account is None:
                raise RequestRefused(
                    RefusalCode.FORBIDDEN, f"writer {writer.hex()} has no account in the configuration"
                )
            return KnownWriter(served, served.account)
        account = await self._on_hub(self._hub, served)
        if served.account not in (None, account):
            raise RequestRefused(RefusalCode.FORBIDDEN, f"writer {writer.hex()} has another account on the hub")
        return KnownWriter(served, account)

    async def _on_hub(self, hub: HubDoor, served: ServedWriter) -> bytes:
        now_s = self._now_s()
        found = self._known.get(served.writer)
        if found is not None and now_s < found[0] + REMEMBERED_S:
            return found[1]
        role = PartyRole.REPAIRER if served.is_repairer else PartyRole.WRITER
        try:
            value = await hub.record(party_key(role, served.writer))
            if value is None:
                raise RequestRefused(
                    RefusalCode.FORBIDDEN, f"the hub names no {role.name.lower()} {served.writer.hex()}"
                )
            account = decode_party_record(value).account
        except (HubSilent, MalformedInput) as error:
            raise RequestRefused(RefusalCode.HUB_UNAVAILABLE, str(error)) from None
        self._known[served.writer] = now_s, account
        return account
