"""Logs of did:webvh, fetched from the hosts that strangers' DIDs name, within bounds of place, size, time and number.

A host is asked at an address that was judged, under its own name: the certificate is its name's, and a name that answers
otherwise the next time changes nothing. What it serves is believed by the rules of the log alone.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx
import trio

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.daemon.tls import tls_context
from hutong.relay.services.identity.resolver.hosts import Lookup, addresses_of, system_lookup
from hutong.relay.services.identity.rules.dids.resolution import ErrorCode, NotResolved
from hutong.relay.services.identity.rules.dids.webvh.entry import MAX_LOG_BYTES
from hutong.relay.services.identity.rules.dids.webvh.identifier import WebvhDid
from hutong.relay.services.identity.rules.dids.webvh.resolution import Material
from hutong.relay.services.identity.rules.dids.webvh.witnesses import MAX_WITNESS_BYTES

CONNECT_S: Final = 3.0
WHOLE_S: Final = 10.0
"""For both files of a DID together."""
AT_ONCE: Final = 16
MAX_WAITING: Final = 64
"""Requests that wait for one of these; hosts that answer slowly hold up no more."""
KEPT_S: Final = 30
"""For which what a host said, or that it said nothing, answers others, too: nobody is asked more often because of a resolver."""
MAX_KEPT: Final = 256
MAX_KEPT_BYTES: Final = 32 * 1024 * 1024
HTTPS: Final = 443
_GONE: Final = frozenset({404, 410})
_WITNESS: Final = b'"witness"'
"""Without it in the log no file of witnesses is asked for; a log that hides the word from this is refused as not witnessed."""


class HostSilent(Exception):
    """The host cannot be asked now; one sentence, without what stands in its network."""


class TooManyFetches(Exception):
    """MAX_WAITING requests wait already."""


class NoSuchFile(Exception):
    """The host says that it has no such file."""


@dataclass(slots=True)
class WebvhLogs:
    """`named` are addresses of hosts as the operator names them; others are looked up and must be public."""

    client: httpx.AsyncClient
    named: Mapping[str, Sequence[str]]
    now_s: Callable[[], int]
    lookup: Lookup = system_lookup
    limit: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(AT_ONCE))
    kept: OrderedDict[str, tuple[int, Material | NotResolved]] = field(default_factory=OrderedDict)

    async def material(self, did: WebvhDid) -> Material | NotResolved:
        """The log and, where it names witnesses, their file; or why there is none.

        Raises:
            TooManyFetches: see there.
        """
        known = self.kept.get(did.log_url)
        if known is not None and self.now_s() < known[0] + KEPT_S:
            return known[1]
        if self.limit.statistics().tasks_waiting >= MAX_WAITING:
            raise TooManyFetches
        async with self.limit:
            found = await self._found(did)
        self._keep(did.log_url, found)
        return found

    async def _found(self, did: WebvhDid) -> Material | NotResolved:
        try:
            with trio.fail_after(WHOLE_S):
                return await self._fetched(did)
        except NoSuchFile:
            return NotResolved(ErrorCode.NOT_FOUND, "its host has no log there")
        except HostSilent as error:
            return NotResolved(ErrorCode.HOST_UNREACHABLE, str(error))
        except trio.TooSlowError:
            return NotResolved(ErrorCode.HOST_UNREACHABLE, f"its host gave no whole answer within {WHOLE_S:.0f} s")
        except VerificationError as error:
            return NotResolved(ErrorCode.INVALID_DID, str(error))

    async def _fetched(self, did: WebvhDid) -> Material:
        try:
            addresses = await addresses_of(did.host, did.port or HTTPS, self.named, self.lookup)
        except OSError:
            raise HostSilent("its host's name has no address") from None
        log = await self._file(did, addresses, did.log_url, MAX_LOG_BYTES)
        if _WITNESS not in log:
            return Material(log)
        try:
            return Material(log, await self._file(did, addresses, did.witness_url, MAX_WITNESS_BYTES))
        except NoSuchFile:
            return Material(log)

    async def _file(self, did: WebvhDid, addresses: Sequence[str], url: str, most: int) -> bytes:
        for address in addresses:
            try:
                return await self._asked(did, address, url, most)
            except httpx.ConnectError:
                continue
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                raise HostSilent(f"its host does not answer: {type(error).__name__}") from None
        raise HostSilent("its host takes no connection, or its certificate is not good")

    async def _asked(self, did: WebvhDid, address: str, url: str, most: int) -> bytes:
        place = httpx.URL(url)
        authority = did.host if did.port is None else f"{did.host}:{did.port}"
        request = self.client.build_request(
            "GET",
            place.copy_with(host=address),
            headers={"host": authority, "accept-encoding": "identity"},
            extensions={"sni_hostname": did.host},
        )
        answer = await self.client.send(request, stream=True, follow_redirects=False)
        try:
            if answer.status_code in _GONE:
                raise NoSuchFile
            if answer.status_code != 200:
                raise HostSilent(f"its host answers {answer.status_code}")
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > most:
                    raise MalformedInput("log", f"its file has more than {most} bytes")
            return bytes(body)
        finally:
            await answer.aclose()

    def _keep(self, url: str, found: Material | NotResolved) -> None:
        self.kept[url] = (self.now_s(), found)
        self.kept.move_to_end(url)
        while len(self.kept) > MAX_KEPT or sum(_size(one) for _, one in self.kept.values()) > MAX_KEPT_BYTES:
            self.kept.popitem(last=False)


def _size(found: Material | NotResolved) -> int:
    if isinstance(found, NotResolved):
        return 0
    return len(found.log or b"") + len(found.witness_file or b"")


@asynccontextmanager
async def fetching_logs(common: Common, named: Mapping[str, Sequence[str]]) -> AsyncIterator[WebvhLogs]:
    """Over the network, while the block lasts.

    Raises:
        RoleUnusable: `tls_authorities` is no file of certificates.
    """
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)
    timeout = httpx.Timeout(WHOLE_S, connect=CONNECT_S)
    verify = tls_context(common.server)
    async with httpx.AsyncClient(verify=verify, limits=limits, timeout=timeout, trust_env=False) as client:
        yield WebvhLogs(client, named, common.now_s)
