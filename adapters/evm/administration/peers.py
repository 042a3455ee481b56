"""Whom a Mailbox listens to: clients from its events, each as the Mailbox has it now."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.adapters.evm.administration.deploy import FORWARDED_PEER
from hutong.adapters.evm.administration.history import history_of
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput

DIRECT_PEER = Function("directPeer", ("string",), ("string",))
_KINDS = {
    keccak256(b"ForwardedPeerSet(string,string)"): ("forwarded", FORWARDED_PEER),
    keccak256(b"DirectPeerSet(string,string)"): ("direct", DIRECT_PEER),
}
MAX_EVENT_BYTES = 512
"""Two strings of at most 64 characters."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`kind` is `forwarded`, with a client of the hub, or `direct`, with a client of this chain's router. `name` is what
    receivers see."""

    kind: str
    client: str
    name: str


async def read_peers(execution: ExecutionRpc, mailbox: bytes, heights: range) -> tuple[Peer, ...]:
    """Peers of a Mailbox, forwarded ones first; those of a hub's client that it had before do not count.

    Args:
        mailbox: address of 20 bytes.
        heights: from the block of the Mailbox to the newest.

    Raises:
        BadAnswer: an event is not what its topic says, or there are more than MAX_EVENTS.
        RpcRefused: the node refuses the logs of even one block.
    """
    logs = await history_of(execution, mailbox, "Mailbox", heights, [[f"0x{topic.hex()}" for topic in _KINDS]])
    peers = []
    for (kind, getter), clients in zip(_KINDS.values(), _named(logs), strict=True):
        for client in sorted(clients):
            (name,) = getter.decode(await execution.call(mailbox, getter.encode(client)))
            if name:
                peers.append(Peer(kind, client, name))
    return tuple(peers)


def _named(logs: Sequence[Log]) -> list[set[str]]:
    """By kind: every client that was ever named."""
    found: dict[bytes, set[str]] = {topic: set() for topic in _KINDS}
    for log in logs:
        if log.topics[:1] and log.topics[0] in found:
            try:
                client, _ = decode_canonical(["string", "string"], log.data, "log.data", MAX_EVENT_BYTES)
                found[log.topics[0]].add(check_client_id(client))
            except MalformedInput as error:
                raise BadAnswer("eth_getLogs", "data", "is not of the event that its topic names") from error
    return list(found.values())
