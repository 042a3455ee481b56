"""Transactions sent and waited for: what operators' commands need, and a relay does not."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import trio

from hutong.adapters.cosmos.chain import CosmosChain
from hutong.adapters.cosmos.reading.inclusion import Inclusion
from hutong.adapters.cosmos.transactions.accounts import parse_answer
from hutong.adapters.cosmos.transactions.messages import SdkMessage
from hutong.adapters.interface import AlreadyKnown, RefusedByChain, Signer, TransactionOutcome
from hutong.light_clients.protobuf.cosmos_tx_pb2 import TxMsgData

POLL_INTERVAL_S = 0.2


@dataclass(frozen=True, slots=True)
class Executed:
    """A transaction in a final block, with the response to each of its messages."""

    outcome: TransactionOutcome
    responses: tuple[SdkMessage, ...]


class CosmosTransactor:
    """Signs for one account. Not for an account that a running relay signs with: both would take the same sequence."""

    def __init__(self, chain: CosmosChain, signer: Signer) -> None:
        self.chain = chain
        self.signer = signer

    @property
    def address(self) -> str:
        """The bech32 account that signs and pays."""
        return self.chain.address_of(self.signer)

    async def execute(self, messages: Sequence[SdkMessage], memo: str = "") -> Executed:
        """Simulate, sign, send, and wait for the block; the caller's deadline bounds the wait.

        Raises:
            RefusedByChain: it would fail (then nothing was sent), or did.
            BroadcastRefused: the pool does not take it.
            FeeAboveCap: it would pay more than the configuration allows.
            EndpointUnavailable: no endpoint answers; the transaction may have been sent.
        """
        submission = self.chain.submission
        prepared = await submission.prepare_messages(messages, self.address, memo)
        account = await submission.account(self.address)
        signed = await submission.sign(prepared, account.pending_nonce, self.signer)
        with suppress(AlreadyKnown):  # an answer was lost, and the retry met the first attempt
            await submission.broadcast(signed)
        found = await self._included(signed.hash)
        outcome = await submission.outcome_of(signed.hash, found)
        if outcome.reverted is not None:
            raise RefusedByChain("failed", outcome.reverted)
        responses = parse_answer(TxMsgData, found.data, "tx").msg_responses
        return Executed(outcome, tuple(SdkMessage(one.type_url, one.value) for one in responses))

    async def _included(self, transaction_hash: bytes) -> Inclusion:
        while True:
            found = await self.chain.submission.inclusion(transaction_hash)
            if found is not None:
                await self.chain.wait_for_height(found.height)
                return found
            await trio.sleep(POLL_INTERVAL_S)
