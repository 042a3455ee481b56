"""Directory records and the log as a hub's node tells them. Only `make_facet_page` shows what it says, by a record bundle and a page."""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from hutong.adapters.evm.administration.history import history_of
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.relay.administration.bundles.record_bundles import make_record
from hutong.relay.administration.bundles.written import write_evidence, write_record
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.hub.access import open_hub
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordKey
from hutong.relay.config import Config, HubChainConfig
from hutong.relay.services.directory.rules.calls import DIRECTORY_ADDRESS, GET_RECORD
from hutong.relay.services.directory.rules.log.following import changed_facets
from hutong.relay.services.directory.rules.log.operations import LoggedOperation, decode_logged
from hutong.relay.services.directory.rules.log.pages import (
    MAX_LOGGED_BYTES,
    encode_operations_page,
    judge_operations_page,
    make_operations_page,
)
from hutong.relay.services.directory.rules.log.replaying import replay_log
from hutong.relay.services.directory.rules.records import keys
from hutong.relay.services.directory.rules.records.facets import NO_HEAD, Facet, FacetHead, decode_head

LOGGED: Final = keccak256(b"DirectoryLogged(bytes32,uint64,bytes)")


async def directory_record(execution: ExecutionRpc, key: bytes) -> bytes | None:
    """The value under a key of the directory, None where there is none.

    Raises:
        MalformedInput: the hub has no such module yet.
        AdapterError: no endpoint answers.
    """
    (value,) = GET_RECORD.read(await execution.call(DIRECTORY_ADDRESS, GET_RECORD.encode(key)))
    return value or None


async def _value(hub: HubChainConfig, key: bytes, random: Random) -> bytes | None:
    async with open_hub(hub, random) as chain:
        try:
            return await directory_record(chain.execution, key)
        except MalformedInput:
            raise Declined(f"{hub.name} has no directory: its rules version is below 8") from None


async def read_entry(hub: HubChainConfig, entry: bytes, random: Random) -> LoggedOperation | None:
    """The newest operation of an entry, by the node's word; None where there never was one.

    Raises:
        Declined: the hub has no directory.
        AdapterError: it does not answer.
    """
    raw = await _value(hub, keys.entry_key(entry), random)
    return None if raw is None else decode_logged(raw)


async def read_head(hub: HubChainConfig, facet: Facet, random: Random) -> FacetHead:
    """The head of a facet, by the node's word; `NO_HEAD` where no entry ever had it.

    Raises:
        Declined: the hub has no directory.
        AdapterError: it does not answer.
    """
    raw = await _value(hub, keys.head_key(facet), random)
    return NO_HEAD if raw is None else decode_head(raw)


async def read_log(execution: ExecutionRpc, last: int) -> tuple[LoggedOperation, ...]:
    """All operations up to block `last`, as events tell them; at most 10 000.

    Raises:
        BadAnswer: the node tells of an event that is none, or there are more.
        AdapterError: no endpoint answers.
    """
    found = []
    for log in await history_of(execution, DIRECTORY_ADDRESS, "directory", range(last + 1), [f"0x{LOGGED.hex()}"]):
        try:
            _, raw = decode_canonical(["uint64", "bytes"], log.data, "DirectoryLogged", 2 * MAX_LOGGED_BYTES)
            found.append(decode_logged(raw))
        except MalformedInput as error:
            raise BadAnswer("eth_getLogs", "data", str(error)) from error
    return tuple(found)


def operations_of(log: tuple[LoggedOperation, ...], facet: Facet) -> tuple[LoggedOperation, ...]:
    """Those that touch a facet, in their order.

    Raises:
        PredicateFailed: the log has a hole, or an operation that does not follow.
    """
    found, standing = [], dict[bytes, LoggedOperation]()
    replay_log(VERIFY, log, {})
    for one in log:
        if facet in changed_facets(standing.get(one.entry), one):
            found.append(one)
        standing[one.entry] = one
    return tuple(found)


@dataclass(frozen=True, slots=True)
class AskedPage:
    """Operations `first` to `first + count - 1` of a facet, or as many as there are; and where page and record go."""

    facet: Facet
    first: int
    count: int
    page: Path
    record: Path


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """The head as it is proven, and how many operations the page has: none where the facet never had one, and no page then."""

    head: FacetHead
    shown: int
    height: int


async def make_facet_page(
    config: Config, hub: HubChainConfig, asked: AskedPage, trusted: Checkpoint | None, random: Random
) -> WrittenPage:
    """A page, and the record bundle of the head that it is under; both are judged before they are written.

    Args:
        trusted: the checkpoint to judge the bundle from; None: what the node says of the block before.

    Raises:
        Declined: there are no such operations, or what the node tells is not whole.
        AdapterError: the hub does not answer.
    """
    made = await make_record(config, hub.name, [RecordKey(keys.head_key(asked.facet))], None, trusted, random)
    (statement,) = made.bundle.statements
    head = NO_HEAD if statement.value is None else decode_head(statement.value)
    height, shown = made.bundle.height.revision_height, 0
    if head.size:
        async with open_hub(hub, random) as chain:
            log = await read_log(chain.execution, height)
        shown = min(asked.count, head.size - asked.first)
        if shown < 1:
            raise Declined(f"there are {head.size} operations, none from {asked.first} on")
        try:
            leaves = operations_of(log, asked.facet)[: head.size]
            page = make_operations_page(asked.facet, leaves, asked.first, shown)
            judge_operations_page(VERIFY, page, asked.facet, head)
        except (PredicateFailed, IndexError) as error:
            raise Declined(f"what {hub.name}'s node tells of the log is not whole: {error}") from None
        write_evidence(asked.page, encode_operations_page(page))
    report = write_record(asked.record, made)
    if report.failure is not None:
        raise Declined(f"the head's record does not hold: {report.failure.check.error}")
    return WrittenPage(head, shown, height)
