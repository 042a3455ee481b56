"""One transaction of an administrative command, sent and waited for."""

import os

import trio

from hutong.adapters.interface import Batch, Destination, RefusedByChain, TransactionOutcome
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
    signed = await chain.sign(prepared, (await chain.account(address)).pending_nonce, signer)
    await chain.broadcast(signed)
    outcome = await _outcome(chain, signed.hash)
    for index in range(len(batch.messages)):
        if (failure := outcome.failure_of(index)) is not None:
            raise RefusedByChain(what, failure)


async def _outcome(chain: Destination, transaction_hash: bytes) -> TransactionOutcome:
    while True:
        outcome = await chain.outcome(transaction_hash)
        if outcome is not None:
            return outcome
        await trio.sleep(POLL_S)


def new_salt() -> int:
    """A random number below 2**64: makes an action's hash its own, so that the same act can be decided twice."""
    return int.from_bytes(os.urandom(8), "big")
