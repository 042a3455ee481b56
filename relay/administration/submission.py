"""One transaction of an administrative command, sent and waited for."""

import os

import trio

from hutong.adapters.interface import Batch, Destination, PreparedTransaction, RefusedByChain, TransactionOutcome
from hutong.relay.keys import Signer

POLL_S = 0.2


async def submit_batch(chain: Destination, batch: Batch, signer: Signer, what: str) -> None:
    """Send one transaction and wait until it is in a block, without a limit of its own.

    Args:
        what: names the refusal.

    Raises:
        RefusedByChain: the chain refuses a message, before it is paid for where that shows.
        AdapterError: the chain does not answer, or does not take the transaction.
    """
    address = chain.address_of(signer)
    prepared = await chain.prepare(batch, address)
    if False in prepared.expected:
        raise RefusedByChain(what, await chain.refusal(batch, address))
    outcome = await _submitted(chain, prepared, signer)
    for index in range(len(batch.messages)):
        if (failure := outcome.failure_of(index)) is not None:
            raise RefusedByChain(what, failure)


async def submit_prepared(chain: Destination, prepared: PreparedTransaction, signer: Signer, what: str) -> None:
    """Send one transaction that was simulated and priced, and wait until it is in a block, without a limit of its own.

    Raises:
        RefusedByChain: it reverted in its block. AdapterError: as `submit_batch`.
    """
    outcome = await _submitted(chain, prepared, signer)
    if outcome.reverted is not None:
        raise RefusedByChain(what, outcome.reverted)


async def _submitted(chain: Destination, prepared: PreparedTransaction, signer: Signer) -> TransactionOutcome:
    address = chain.address_of(signer)
    signed = await chain.sign(prepared, (await chain.account(address)).pending_nonce, signer)
    await chain.broadcast(signed)
    return await _outcome(chain, signed.hash)


async def _outcome(chain: Destination, transaction_hash: bytes) -> TransactionOutcome:
    while True:
        outcome = await chain.outcome(transaction_hash)
        if outcome is not None:
            return outcome
        await trio.sleep(POLL_S)


def new_salt() -> int:
    """A random number below 2**64: makes an action's hash its own, so that the same act can be decided twice."""
    return int.from_bytes(os.urandom(8), "big")
