"""A round of a feed pushed to a chain, and looked at there."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hutong.adapters.evm.feed import LATEST, decode_latest, encode_push
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain
from hutong.light_clients.feeds import (
    FeedDescription,
    ReportDocument,
    Round,
    feed_id,
    in_signer_order,
    judge_round,
)
from hutong.light_clients.interface import VERIFY
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.administration.evm.access import Endpoint, open_endpoint
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class ReportedRound:
    """A round that reports make, and the call that pushes them."""

    feed: FeedDescription
    stands: Round
    calldata: bytes


@dataclass(frozen=True, slots=True)
class StandingRound:
    """What a chain has of a feed, and the Unix seconds of the block in which it was asked for."""

    stands: Round | None
    block_time_s: int


def round_of(feed: FeedDescription, documents: Sequence[ReportDocument]) -> ReportedRound:
    """The round that signers' reports make, by the rules that the contract has.

    Raises:
        Unusable: they are of another feed, or of several rounds.
        MalformedInput: a report is signed by nobody, or one signer reported two values.
        PredicateFailed: too few reports, or one that is not a signer's.
    """
    times = {document.time_s for document in documents}
    if any(document.feed != feed_id(feed) for document in documents):
        raise Unusable(f"a report is of another feed; the description is of feed 0x{feed_id(feed).hex()}")
    if len(times) != 1:
        raise Unusable(f"reports are of several rounds: {', '.join(map(str, sorted(times))) or 'none is given'}")
    (time_s,) = times
    reports = in_signer_order(feed, time_s, [document.report for document in documents])
    return ReportedRound(feed, judge_round(VERIFY, feed, time_s, reports), encode_push(feed, time_s, reports))


async def push_round(chain: Endpoint, contract: bytes, reported: ReportedRound, signer: Signer, random: Random) -> str:
    """Push a round and wait until it stands; the transaction's hash as hex with 0x.

    Args:
        contract: address of the chain's Feed, 20 bytes.

    Raises:
        Declined: a round of that time or a later one stands there already; nothing was sent.
        AdapterError: the chain does not answer, is another one, or refuses it.
    """
    async with open_endpoint(chain, random) as execution:
        found = await _standing(execution, contract, reported.feed)
        if found.stands is not None and found.stands.time_s >= reported.stands.time_s:
            raise Declined(
                f"a round of {found.stands.time_s} stands there already, and this one is of {reported.stands.time_s};"
                " nothing was sent"
            )
        receipt = await Transactor(execution, chain.chain_id, signer).send(contract, reported.calldata)
        return f"0x{receipt.transaction_hash.hex()}"


async def look_at_round(chain: Endpoint, contract: bytes, feed: FeedDescription, random: Random) -> StandingRound:
    """The newest round that a chain's Feed (20 bytes) has.

    Raises:
        AdapterError: the chain does not answer, is another one, or has no Feed there.
    """
    async with open_endpoint(chain, random) as execution:
        return await _standing(execution, contract, feed)


async def _standing(execution: ExecutionRpc, contract: bytes, feed: FeedDescription) -> StandingRound:
    if not await execution.code(contract):
        raise RefusedByChain("no contract", f"no contract is at 0x{contract.hex()}; correct the address")
    block = await execution.latest_block()
    stands = decode_latest(await execution.call(contract, LATEST.encode(feed_id(feed))))
    return StandingRound(stands, block.time_s)
