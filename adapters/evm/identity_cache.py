"""What `IdentityCache.sol` takes and returns, in ABI form (docs/spec/identity-seal.md)."""

from collections.abc import Sequence
from typing import Any, Final

from hutong.adapters.evm.hub_reader import MULTIPROOF_TUPLE, RECORD_TUPLE, ShownRecords
from hutong.adapters.ics26.abi import Function
from hutong.light_clients.ibc.abi import HEIGHT_TUPLE
from hutong.light_clients.interface import MalformedInput

QUERY_TUPLE: Final = "(bytes32,bytes32,bytes32,uint64[])"
STANDING_TUPLE: Final = "(address,uint64,uint8,uint8,bool,uint64,uint64,uint64,uint64,bytes32,bytes32,bytes32)"
LIST_TUPLE: Final = "(bytes32,bytes32,uint64,uint64,uint64,uint8,uint8,bool)"
FACTS_TUPLE: Final = f"(uint64,uint64,{LIST_TUPLE},{STANDING_TUPLE})"
MAX_RECORDS: Final = 256

SYNC = Function("sync", (QUERY_TUPLE, f"{RECORD_TUPLE}[]", "uint8[]", MULTIPROOF_TUPLE, HEIGHT_TUPLE))
FACTS = Function("facts", ("bytes32", "uint64"), (FACTS_TUPLE,))


def encode_sync(query: tuple[Any, ...], needed: Sequence[bytes], shown: ShownRecords) -> bytes:
    """Calldata of `sync`.

    Args:
        query: issuer, schema, thumbprint and numbers of lists, as `QUERY_TUPLE`.
        needed: keys of the records in the order of the contract's walk; one may be needed twice.
        shown: these records, each once, and nothing else.

    Raises:
        MalformedInput: a record that is needed is not shown, or one too many is.
    """
    place_of = {record.key: place for place, record in enumerate(shown.records)}
    if set(needed) != set(place_of) or len(place_of) > MAX_RECORDS:
        raise MalformedInput("records", "other records than are needed", got=len(place_of), expected=len(set(needed)))
    places = [place_of[key] for key in needed]
    return SYNC.encode(query, shown.record_fields, places, shown.proof_fields[1], shown.height_fields)
