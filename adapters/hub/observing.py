"""The hub's module of observations: what stands under its keys, and the call that writes there."""

from collections.abc import Sequence
from typing import Final

from eth_utils.address import to_checksum_address

from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.batch import TRANSACTION_OVERHEAD_BYTES, intrinsic_gas_of
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.submission import prepare_bounded_call, prepare_call
from hutong.adapters.interface import (
    BadAnswer,
    BatchLimits,
    BatchTooLarge,
    ObserveCall,
    PreparedObservations,
    PreparedTransaction,
)
from hutong.adapters.rpc import CONCURRENT_READS, each_of
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import HEIGHT_TUPLE
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.records import (
    ClientEpoch,
    Observation,
    decode_observation_of,
    parse_observation_key,
)

OBSERVATIONS_ADDRESS: Final = bytes.fromhex("0000000000000000000000000000000000001005")
OBSERVE = Function("observe", ("string", HEIGHT_TUPLE, "bytes", "bytes[]", "(uint8,bytes,bytes)[]"), ("bool[]",))
GET_OBSERVATION = Function("getObservation", ("bytes",), ("bytes",))
GET_EPOCH = Function("getEpoch", ("string",), ("uint64", "bool"))
GET_WRITER = Function("getWriter", ("address",), ("uint64", "uint64"))
OPEN_TO_ALL = Function("openToAll", (), ("bool",))
OBSERVED_TOPIC: Final = keccak256(b"Observed(bytes32,bytes,bytes)")

_CALL_GAS = 150_000
"""The call, and reads of the client's state, consensus states and epoch: the first are 800 each and 8 a byte."""
_GAS_PER_BYTE = 3
_PROOF_GAS_PER_BYTE = 48
"""16 as a proof; the value of a store key is read, written and told of in an event besides."""
_SHOWN_GAS = 30_000
_SHOWN_GAS_PER_BYTE = 48
_ITEM_GAS = 60_000
"""20 000 as a proof, 12 000 for the record's write; the rest is for what stands there, its keys and the event."""


def renewal_gas(call: ObserveCall, data_bytes: int) -> int:
    """At most what a call uses whose keys are all open, by what the hub charges (docs/spec/hub-modules.md#gas).

    Args:
        data_bytes: of the call's data.
    """
    proof_bytes = sum(map(len, call.nodes)) + sum(map(len, call.claims))
    shown_gas = _SHOWN_GAS + _SHOWN_GAS_PER_BYTE * len(call.shown) if call.shown else 0
    by_bytes = _GAS_PER_BYTE * data_bytes + _PROOF_GAS_PER_BYTE * proof_bytes
    return intrinsic_gas_of(data_bytes) + _CALL_GAS + by_bytes + shown_gas + _ITEM_GAS * len(call.places)


class Observations:
    """Calls of the module over the hub's `eth_*`."""

    address: Final = to_checksum_address(OBSERVATIONS_ADDRESS)

    def __init__(self, execution: ExecutionRpc, limits: BatchLimits) -> None:
        self._execution = execution
        self._limits = limits

    async def read(self, keys: Sequence[bytes]) -> tuple[Observation | None, ...]:
        """See `ObservingHub.observations`."""
        return tuple(await each_of(self._read_one, keys, CONCURRENT_READS))

    async def _read_one(self, key: bytes) -> Observation | None:
        (raw,) = GET_OBSERVATION.decode(await self._call(GET_OBSERVATION.encode(key)))
        try:
            return decode_observation_of(parse_observation_key(key), raw) if raw else None
        except MalformedInput as error:
            raise BadAnswer(GET_OBSERVATION.name, "returned", str(error)) from error

    async def epoch(self, client_id: str) -> ClientEpoch | None:
        """See `ObservingHub.epoch`."""
        number, is_readable = GET_EPOCH.decode(await self._call(GET_EPOCH.encode(client_id)))
        return ClientEpoch(number, is_readable, 0) if number else None

    async def may_open(self, account: str) -> int | None:
        """See `ObservingHub.may_open`."""
        (is_open,) = OPEN_TO_ALL.decode(await self._call(OPEN_TO_ALL.encode()))
        if is_open:
            return None
        limit, keys = GET_WRITER.decode(await self._call(GET_WRITER.encode(account)))
        return max(0, int(limit) - int(keys))

    async def prepare(self, call: ObserveCall, chain_id: int, sender: str) -> PreparedObservations:
        """See `ObservingHub.prepare_observations`."""
        data, max_gas = self._encode(call), self._limits.max_gas
        returned = await self._execution.call(OBSERVATIONS_ADDRESS, data, "latest", sender, max_gas)
        (writes,) = OBSERVE.decode(returned)
        count = len(call.places)
        if len(writes) != count:
            raise BadAnswer(OBSERVE.name, "returned", f"is not {count} answers", got=len(writes))
        prepared = await prepare_call(self._execution, chain_id, sender, OBSERVATIONS_ADDRESS, data, max_gas)
        return PreparedObservations(prepared, tuple(writes))

    async def prepare_after_update(self, call: ObserveCall, chain_id: int, sender: str) -> PreparedTransaction:
        """See `ObservingHub.prepare_observations_after_update`."""
        data = self._encode(call)
        return await prepare_bounded_call(
            self._execution,
            chain_id,
            sender,
            OBSERVATIONS_ADDRESS,
            data,
            renewal_gas(call, len(data)),
            self._limits.max_gas,
        )

    def _encode(self, call: ObserveCall) -> bytes:
        items = [(int(place.kind), place.name, claim) for place, claim in zip(call.places, call.claims, strict=True)]
        height = (call.height.revision_number, call.height.revision_height)
        data = OBSERVE.encode(call.client_id, height, call.shown, list(call.nodes), items)
        size = len(data) + TRANSACTION_OVERHEAD_BYTES
        if size > self._limits.max_bytes:
            raise BatchTooLarge("bytes", size, self._limits.max_bytes)
        return data

    async def written_in(self, transaction_hash: bytes) -> frozenset[bytes]:
        """See `ObservingHub.written_in`."""
        receipt = await self._execution.receipt(transaction_hash)
        if receipt is None:
            return frozenset()
        return frozenset(
            log.topics[1]
            for log in receipt.logs
            if log.address == OBSERVATIONS_ADDRESS and len(log.topics) == 2 and log.topics[0] == OBSERVED_TOPIC
        )

    async def _call(self, data: bytes) -> bytes:
        return await self._execution.call(OBSERVATIONS_ADDRESS, data)
