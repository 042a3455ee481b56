"""Status of presented credentials by their issuers' lists. What cannot be shown to hold is refused, with one reason each."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import anyio
import httpx

from hutong.light_clients.interface import PredicateFailed, VerificationError, rule
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.drafts import STATUS_LIST
from hutong.relay.services.identity.rules.jose import JsonObject
from hutong.relay.services.identity.rules.sd_jwt import Clock, IssuerTrust, VerifiedPresentation
from hutong.relay.services.identity.rules.status import (
    MAX_TOKEN_CHARS,
    ListDemand,
    ProvenList,
    StatusReading,
    StatusReference,
    judge_status,
    status_claim_well_formed,
    status_is_valid,
)

LIST_MEDIA_TYPE: Final = "application/statuslist+jwt"
FETCH_LIMIT_S: Final = 5.0
MAX_KEPT: Final = 32
MAX_KEPT_CHARS: Final = 16 * 1024 * 1024
Fetch = Callable[[str], Awaitable[str]]
"""From a list's URI to its token; raises `ListUnreachable`."""


class ListUnreachable(Exception):
    """A list could not be had; one sentence."""


@rule(STATUS_LIST + " §6.2")
def status_is_named(status: JsonObject | None, required: bool) -> StatusReference | None:
    """A credential says where its status stands, if the policy asks for one.

    Raises:
        PredicateFailed: it does not.
        MalformedInput, UnsupportedOperation: it says so in another way.
    """
    if status is not None:
        return status_claim_well_formed(status)
    if required:
        raise PredicateFailed("status_is_named", "the credential names no status list", None, "status.status_list")
    return None


@dataclass(frozen=True, slots=True)
class StatusDemand:
    """What a policy demands of the lists. `trust` says who may sign one.

    With `proven` the token must be the one that a hub's list record holds; `newest_epoch` is the highest of its issuer.
    """

    trust: IssuerTrust
    clock: Clock
    max_age_s: int
    is_required: bool
    proven: ProvenList | None = None
    newest_epoch: int = 0


class StatusLists:
    """Lists as they were fetched, each kept while it is fresh. One task may wait for a list while others judge."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: OrderedDict[str, tuple[str, int]] = OrderedDict()

    async def judge(self, verified: VerifiedPresentation, demand: StatusDemand) -> StatusReading | None:
        """The status of a presented credential, which is valid; None where it names no list and none is required.

        Raises:
            VerificationError: the rule that does not hold. An unreachable list is refused as `status_list_is_reachable`.
        """
        reference = status_is_named(verified.status, demand.is_required)
        if reference is None:
            return None
        try:
            reading = await self._read(reference, verified, demand)
        except ListUnreachable as error:
            raise PredicateFailed("status_list_is_reachable", str(error), reference.uri) from None
        status_is_valid(reading.status)
        return reading

    async def _read(
        self, reference: StatusReference, verified: VerifiedPresentation, demand: StatusDemand
    ) -> StatusReading:
        kept = self._kept.get(reference.uri)
        if kept is not None:
            try:
                return await _judged(kept, reference, verified, demand)
            except VerificationError:
                self._kept.pop(reference.uri, None)  # whatever is wrong with a copy, a new one decides
        fetched = (await self._fetch(reference.uri), demand.clock.now_s)
        reading = await _judged(fetched, reference, verified, demand)
        self._keep(reference.uri, fetched)
        return reading

    def _keep(self, uri: str, fetched: tuple[str, int]) -> None:
        self._kept[uri] = fetched
        self._kept.move_to_end(uri)
        while len(self._kept) > MAX_KEPT or sum(len(token) for token, _ in self._kept.values()) > MAX_KEPT_CHARS:
            self._kept.popitem(last=False)


async def _judged(
    fetched: tuple[str, int], reference: StatusReference, verified: VerifiedPresentation, demand: StatusDemand
) -> StatusReading:
    token, fetched_at_s = fetched
    wanted = ListDemand(
        demand.trust, demand.clock, verified.issuer, fetched_at_s, demand.max_age_s, demand.newest_epoch
    )
    return await anyio.to_thread.run_sync(judge_status, VERIFY, token, reference, wanted, demand.proven)


def fetching(client: httpx.AsyncClient, *, allow_http: bool = False) -> Fetch:
    """Fetch over HTTPS, within bounds of time and size; redirects are not followed.

    Args:
        allow_http: for a daemon whose own address is of this machine alone.
    """

    async def fetch(uri: str) -> str:
        if not uri.startswith("https://") and not (allow_http and uri.startswith("http://127.0.0.1:")):
            raise ListUnreachable("the list's URI is not https")
        try:
            with anyio.fail_after(FETCH_LIMIT_S):
                return await _fetched(client, uri)
        except TimeoutError:
            raise ListUnreachable(f"no whole answer within {FETCH_LIMIT_S:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ListUnreachable(f"the list cannot be fetched: {type(error).__name__}") from None

    return fetch


async def _fetched(client: httpx.AsyncClient, uri: str) -> str:
    headers = {"accept": LIST_MEDIA_TYPE, "accept-encoding": "identity"}
    async with client.stream("GET", uri, headers=headers, follow_redirects=False) as answer:
        if answer.status_code != 200:
            raise ListUnreachable(f"the list's host answers {answer.status_code}")
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MAX_TOKEN_CHARS:
                raise ListUnreachable(f"the list has more than {MAX_TOKEN_CHARS} characters")
    if not body.isascii():
        raise ListUnreachable("the list is not ASCII")
    return body.decode().strip()
