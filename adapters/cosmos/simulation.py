"""Trying a transaction on the state that the node checks new transactions against: the newest block and its pool."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hutong.adapters.cosmos.refusals import failing_message, reason_of, sequence_mismatch
from hutong.adapters.cosmos.rpc import CosmosRpc
from hutong.adapters.cosmos.transactions.accounts import parse_answer
from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.cosmos.transactions.messages import SEND_URL, SdkMessage
from hutong.adapters.cosmos.transactions.transactions import (
    UNKNOWN_PUBLIC_KEY,
    UNKNOWN_SIGNATURE,
    encode_auth_info,
    encode_body,
    encode_raw,
)
from hutong.adapters.interface import BadAnswer, RefusedByChain
from hutong.light_clients.protobuf import cosmos_tx_pb2

SIMULATE_METHOD = "/cosmos.tx.v1beta1.Service/Simulate"
MAX_SEQUENCE_TRIES = 4
"""Transactions of the same key that enter the pool meanwhile move the sequence on."""
MAX_GAS = 2**53
IMPOSSIBLE_SEQUENCE = 2**62


@dataclass(frozen=True, slots=True)
class Simulated:
    """It would succeed."""

    gas_used: int


@dataclass(frozen=True, slots=True)
class SimulationRefused:
    """It would fail; `index` is of the message that does, None where the chain names none."""

    index: int | None
    reason: str


Verdict: TypeAlias = Simulated | SimulationRefused


class Simulator:
    """Simulations are signed by nobody, but the SDK still wants the sequence that the pool expects.

    They pay `fee`, one unit where gas has a price: to deduct it takes gas too, and a sender without that much is
    refused.
    """

    def __init__(self, rpc: CosmosRpc, fee: Coin) -> None:
        self._rpc = rpc
        self._fee = fee
        self._sequences: dict[str, int] = {}

    async def run(self, messages: Sequence[SdkMessage], sender: str) -> Verdict:
        """Try all of `messages` as one transaction of `sender`; nothing is sent.

        Raises:
            RefusedByChain: the sender's sequence moves faster than a simulation.
            EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
            BadAnswer: the gas of a successful simulation is malformed or out of bounds.
        """
        body = encode_body(messages)
        for _ in range(MAX_SEQUENCE_TRIES):
            verdict, log = await self._try(body, len(messages), self._sequences.get(sender, 0))
            mismatch = sequence_mismatch(log)
            if isinstance(verdict, Simulated) or verdict.index is not None or mismatch is None:
                return verdict
            self._sequences[sender] = mismatch[0]
        raise RefusedByChain("account sequence", f"the sequence of {sender} moves faster than a simulation")

    async def pool_sequence(self, sender: str) -> int | None:
        """The next sequence of an account, transactions in the pool counted; None if the node does not say.

        It is read from the refusal of a send with an impossible sequence, which is simulated and never signed.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
        """
        coin = cosmos_tx_pb2.Coin(denom=self._fee.denom, amount="1")
        probe = cosmos_tx_pb2.MsgSend(from_address=sender, to_address=sender, amount=[coin])
        _, log = await self._try(encode_body([SdkMessage.of(SEND_URL, probe)]), 1, IMPOSSIBLE_SEQUENCE)
        mismatch = sequence_mismatch(log)
        if mismatch is None or mismatch[1] != IMPOSSIBLE_SEQUENCE or mismatch[0] >= IMPOSSIBLE_SEQUENCE:
            return None
        self._sequences[sender] = mismatch[0]
        return mismatch[0]

    async def _try(self, body: bytes, count: int, sequence: int) -> tuple[Verdict, str]:
        auth_info = encode_auth_info(UNKNOWN_PUBLIC_KEY, sequence, 0, self._fee)
        raw = encode_raw(body, auth_info, UNKNOWN_SIGNATURE)
        request = cosmos_tx_pb2.SimulateRequest(tx_bytes=raw).SerializeToString(deterministic=True)
        answer = await self._rpc.service(SIMULATE_METHOD, request)
        if answer.code:
            reason = reason_of(answer.codespace, answer.code, answer.log)
            return SimulationRefused(failing_message(answer.log, count), reason), answer.log
        gas_used = decode_simulation(answer.value)
        return Simulated(gas_used), ""


def decode_simulation(data: bytes) -> int:
    """The gas that a SimulateResponse says was used, 1 to MAX_GAS.

    Raises:
        BadAnswer: malformed, or out of these bounds.
    """
    gas_used: int = parse_answer(cosmos_tx_pb2.SimulateResponse, data, SIMULATE_METHOD).gas_info.gas_used
    if not 0 < gas_used <= MAX_GAS:
        raise BadAnswer(SIMULATE_METHOD, "gas_info.gas_used", f"is not between 1 and {MAX_GAS}", got=gas_used)
    return gas_used
