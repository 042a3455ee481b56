"""Acceptances of an issuer's seals, as a node of a contract's chain tells them: for files that an audit counts."""

from random import Random
from typing import Final

from hutong.adapters.ics26.events import Log
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.evm.access import Endpoint, open_endpoint
from hutong.relay.services.identity.rules.organisations.gate_acceptances import MAX_EVENTS, GateEvent, GateExport

SEAL_ACCEPTED: Final = keccak256(b"SealAccepted(bytes32,bytes32,uint64,uint64,uint64,uint64)")
SPAN: Final = 2_000
"""Blocks of one question for logs."""
_DATA = ["uint64", "uint64", "uint64", "uint64"]
_TOPICS = 3


async def read_acceptances(
    chain: Endpoint, gate: bytes, issuer: bytes, blocks: tuple[int, int | None], random: Random
) -> GateExport:
    """Every `SealAccepted` of a contract about an issuer, from one block to another, or to the newest.

    Raises:
        Declined: there are more than an export holds, or an event is not of the interface.
        AdapterError: the chain does not answer, or is another one.
    """
    async with open_endpoint(chain, random) as execution:
        first, end = blocks
        last = (await execution.latest_block()).height if end is None else end
        topics = [f"0x{SEAL_ACCEPTED.hex()}", None, f"0x{issuer.hex()}"]
        found: list[GateEvent] = []
        times: dict[int, int] = {}
        for at in range(first, last + 1, SPAN):
            for log in await execution.logs(gate, at, min(at + SPAN - 1, last), topics):
                if log.height not in times:
                    times[log.height] = (await execution.block(log.height)).time_s
                found.append(_event(log, issuer, times[log.height]))
            if len(found) > MAX_EVENTS:
                raise Declined(f"more than {MAX_EVENTS} acceptances: export fewer blocks, with --from and --to")
    return GateExport(chain.chain_id, gate, issuer, first, last, tuple(found))


def _event(log: Log, issuer: bytes, time_s: int) -> GateEvent:
    try:
        if len(log.topics) != _TOPICS or (log.topics[0], log.topics[2]) != (SEAL_ACCEPTED, issuer):
            raise MalformedInput("log.topics", "are not of SealAccepted about this issuer")
        values = decode_canonical(_DATA, log.data, "SealAccepted", 32 * len(_DATA))
    except MalformedInput as error:
        raise Declined(f"block {log.height}: {error}") from None
    return GateEvent(log.height, time_s, log.transaction_hash, log.log_index, log.topics[1], *values)
