"""What a HubReader keeps, as its chain's nodes say, and the call that brings it something newer."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.adapters.evm.hub_reader import (
    Answer,
    ShownRecords,
    decode_answers,
    encode_keep,
    encode_read_cached,
)
from hutong.adapters.evm.routed_calls import RoutedCalls
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.batch import intrinsic_gas_of
from hutong.adapters.interface import BadAnswer, PreparedTransaction, RefusedByChain
from hutong.adapters.rpc import each_of
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.interface import MalformedInput

ANY_AGE_S = 2**40
RECORD_KEPT_TOPIC = keccak256(b"RecordKept(bytes32,uint64,bytes)")
KEPT_EPOCH = Function("keptEpoch", ("string",), ("uint64", "uint64", "bool"))

WORD_BYTES = 32
_CALL_GAS = 150_000
"""The call, and what router and HubClient are asked."""
_RECORD_GAS = 120_000
"""Two words kept, its place in the proof, and the event."""
_VALUE_WORD_GAS = 25_000
_EPOCH_GAS = 70_000
_SIBLING_GAS = 1_000
"""A hash takes 350."""
_GAS_PER_BYTE = 24
"""Hashes, copies to memory and the event."""


@dataclass(frozen=True, slots=True)
class KeptEpoch:
    """The newest epoch of a client that a reader was shown."""

    number: int
    is_readable: bool


def keep_gas(shown: ShownRecords, data_bytes: int) -> int:
    """At most what a call of `keep` uses, also where nothing is kept yet (docs/performance.md).

    Args:
        data_bytes: of the call's data.
    """
    words = sum(-(-len(record.value) // WORD_BYTES) for record in shown.records)
    records_gas = _RECORD_GAS * len(shown.records) + _VALUE_WORD_GAS * words + _EPOCH_GAS * len(shown.epochs)
    proof_gas = _SIBLING_GAS * len(shown.proof.siblings)
    return intrinsic_gas_of(data_bytes) + _CALL_GAS + records_gas + proof_gas + _GAS_PER_BYTE * data_bytes


class ReaderCalls(RoutedCalls):
    """Of one HubReader."""

    async def kept(self, keys: Sequence[bytes]) -> tuple[Answer | None, ...]:
        """What is kept under each key, however old; None where nothing is, or what is kept is not good any more.

        Raises:
            BadAnswer: not an answer of a HubReader. EndpointUnavailable: no endpoint answers.
        """
        return tuple(await each_of(self._kept_one, keys))

    async def _kept_one(self, key: bytes) -> Answer | None:
        try:
            returned = await self._execution.call(self._contract, encode_read_cached([key], ANY_AGE_S))
        except RefusedByChain:
            return None
        try:
            (answer,) = decode_answers(returned)
        except (MalformedInput, ValueError) as error:
            raise BadAnswer("readManyCached", "returned", str(error)) from error
        return answer

    async def kept_epoch(self, observed_client: str) -> KeptEpoch | None:
        """The newest epoch of a client on the hub that was kept; None where none was.

        Raises:
            BadAnswer, RefusedByChain: no HubReader is there. EndpointUnavailable: no endpoint answers.
        """
        returned = await self._execution.call(self._contract, KEPT_EPOCH.encode(observed_client))
        height, number, is_readable = KEPT_EPOCH.decode(returned)
        return KeptEpoch(int(number), bool(is_readable)) if height else None

    async def written_in(self, transaction_hash: bytes) -> frozenset[bytes]:
        """Keccak-256 of the keys that a mined transaction kept; empty where it is not known.

        Raises:
            EndpointUnavailable: no endpoint answers.
        """
        return frozenset(
            log.topics[1]
            for log in await self._logs(transaction_hash)
            if len(log.topics) == 3 and log.topics[0] == RECORD_KEPT_TOPIC
        )

    async def prepare_keep(self, shown: ShownRecords, sender: str) -> PreparedTransaction:
        """Simulate and price a call of `keep`. Nothing is signed or sent.

        Raises:
            RefusedByChain: the reader refuses it.
            BatchTooLarge: more bytes or gas than a transaction may have.
        """
        return await self._prepare(encode_keep(shown), sender)

    async def prepare_keep_after_update(self, shown: ShownRecords, sender: str) -> PreparedTransaction:
        """Bound and price a call of `keep` under a header that is in no block yet, so that no node can simulate it.

        What the reader would refuse is for the caller to have judged.

        Raises:
            BatchTooLarge: more bytes or gas than a transaction may have.
            EndpointUnavailable: no endpoint says the price of gas.
        """
        data = encode_keep(shown)
        return await self._prepare_bounded(data, keep_gas(shown, len(data)), sender)
