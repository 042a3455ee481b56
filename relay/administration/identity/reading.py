"""Identity records as a hub's node tells them (docs/spec/identity-records.md). Nothing is proven here."""

from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.rpc import Fields
from hutong.relay.hub.application.module import IDENTITY_ADDRESS

GET_RECORD = Function("getRecord", ("bytes",), ("bytes",))
MAX_KEY_BYTES = 200
MAX_VALUE_BYTES = 4_096
MAX_RECORDS = 10_000
"""Of one prefix: more than any DID has keys."""
_PAGE = 1_000


async def identity_record(execution: ExecutionRpc, key: bytes) -> bytes | None:
    """The value under a key of identity, None where there is none.

    Raises:
        RefusedByChain, BadAnswer: the hub has no such module yet.
        EndpointUnavailable: no endpoint answers.
    """
    (value,) = GET_RECORD.decode(await execution.call(IDENTITY_ADDRESS, GET_RECORD.encode(key)))
    return value or None


async def identity_page(execution: ExecutionRpc, prefix: bytes, after: bytes) -> dict[bytes, bytes]:
    """Values by key below a prefix and above `after`, at most 1 000 in the order of their keys.

    Raises:
        BadAnswer: a malformed page, or a key that does not begin with the prefix. RpcRefused: the node does not offer it.
        EndpointUnavailable: no endpoint answers.
    """

    def rows(fields: Fields) -> dict[bytes, bytes]:
        found = {}
        for item in fields.items(_PAGE):
            key = item.at("key").data(max_bytes=MAX_KEY_BYTES)
            if not key.startswith(prefix):
                raise item.at("key").bad("does not begin with the prefix")
            found[key] = item.at("value").data(max_bytes=MAX_VALUE_BYTES)
        return found

    return await execution.client.call("hutong_identity", [f"0x{prefix.hex()}", f"0x{after.hex()}"], rows)


async def identity_records(execution: ExecutionRpc, prefix: bytes) -> dict[bytes, bytes]:
    """Page by page, until a page brings nothing new or MAX_RECORDS are known: values by key, below a prefix.

    Raises:
        As `identity_page`.
    """
    known: dict[bytes, bytes] = {}
    while True:
        before = len(known)
        known |= await identity_page(execution, prefix, max(known, default=prefix))
        if not before < len(known) < MAX_RECORDS:
            return {key: known[key] for key in sorted(known)}
