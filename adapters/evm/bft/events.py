"""Which EVM block an event belongs to: only blocks whose header hashes to the name that the node gives them."""

from collections import OrderedDict
from dataclasses import dataclass

from hutong.adapters.evm.bft.headers import QBFT, SealedHeader, check_block_hash, check_seals, steps_between
from hutong.adapters.evm.bft.validators import ContractValidators, ListedValidators, Validators, overlaps
from hutong.adapters.ics26.answers import decode_block
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer, EndpointMismatch, EndpointUnavailable, Head, HeightUnavailable
from hutong.adapters.rpc import Attempt, Endpoint
from hutong.light_clients.bft_evm import SealRules
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND

CACHED_BLOCKS = 512


@dataclass(frozen=True, slots=True)
class NamedHeader:
    """A header under the hash that was recomputed from it."""

    hash: bytes
    header: ExecutionHeader


class FinalBlocks:
    """Final blocks never change, so the newest few are kept.

    A head is taken only with a quorum of seals, and only if more than a third of the validators of the head before it
    sealed it (directly, or over headers in between), so that one endpoint cannot run ahead with blocks of its own. What
    is believed in the end is for the light clients to say; this keeps liars from stopping the relay.
    """

    def __init__(self, chain: str, execution: ExecutionRpc, rules: SealRules = QBFT) -> None:
        self._chain = chain
        self._execution = execution
        self._rules = rules
        contract = rules.validator_contract
        self.validators: Validators = ListedValidators(rules)
        if contract is not None:
            self.validators = ContractValidators(rules, contract, execution, self.header)
        self._headers: OrderedDict[int, NamedHeader] = OrderedDict()
        self._accepted: SealedHeader | None = None

    async def head(self) -> Head:
        """The newest block that is believed, as the class says; final when it exists, never below the last one.

        Raises:
            EndpointUnavailable: no endpoint gave a sealed head, or not one follows from the accepted one; it says why.
            EndpointMismatch: the very first heads of two endpoints share too few validators to be of one chain.
            BadAnswer: it does not link with a final block that is known; all known ones are then forgotten.
        """
        heads = await self._execution.client.ask_each("eth_getBlockByNumber", self._sealed_head)
        self._execution.client.heads_seen([(endpoint, sealed.height) for endpoint, sealed in heads])
        accepted = await self._accept(sorted(heads, key=lambda head: head[1].height, reverse=True))
        self._keep(accepted.height, NamedHeader(accepted.hash, accepted.header))
        return Head(accepted.height, accepted.hash, accepted.header.timestamp_s * NANOSECONDS_PER_SECOND)

    async def _sealed_head(self, attempt: Attempt) -> SealedHeader:
        return await attempt.call(
            "eth_getBlockByNumber", ["latest", False], lambda fields: check_seals(decode_block(fields), self._rules)
        )

    async def _accept(self, heads: list[tuple[Endpoint, SealedHeader]]) -> SealedHeader:
        """The newest head that follows from the accepted one; the first ones must agree on the validators."""
        if self._accepted is None:
            first_endpoint, first = heads[0]
            for endpoint, other in heads[1:]:
                if not overlaps(other.validators, first.committers):
                    raise EndpointMismatch(
                        endpoint.name, f"validators beside {first_endpoint.name}", other.hash, first.hash
                    )
            self._accepted = first
            return first
        reasons: list[tuple[str, str]] = []
        for endpoint, head in heads:
            if head.height <= self._accepted.height:
                return self._accepted
            reason = await self._objection(self._accepted, head)
            if reason is None:
                self._accepted = head
                return head
            self._execution.client.leave(endpoint, reason)
            reasons.append((endpoint.name, reason))
        raise EndpointUnavailable(self._chain, "head", tuple(reasons))

    async def _objection(self, accepted: SealedHeader, head: SealedHeader) -> str | None:
        if overlaps(accepted.validators, head.committers):
            return None
        try:
            await steps_between(self._chain, self.header, accepted.height, head.height, self.validators)
        except (HeightUnavailable, EndpointUnavailable, BadAnswer) as error:
            return f"its head {head.height} does not follow from {accepted.height}: {error}"
        return None

    async def header(self, height: int) -> tuple[bytes, ExecutionHeader]:
        """(hash, header) of a block, kept or asked for, the hash recomputed. Its seals are not checked.

        Raises:
            EndpointUnavailable: no endpoint gave a header that hashes to its name.
            BadAnswer: it does not link with a final block that is known; all known ones are then forgotten.
        """
        known = self._headers.get(height)
        if known is None:
            consensus = self._rules.consensus
            block = await self._execution.block(height, lambda block: check_block_hash(block, consensus))
            known = NamedHeader(block.hash, check_block_hash(block, consensus))
            self._keep(height, known)
        return known.hash, known.header

    async def state_root(self, height: int) -> bytes:
        """The 32 bytes of a block's state root, as its hashed header has it. Raises as `header`."""
        return (await self.header(height))[1].state_root

    def _keep(self, height: int, named: NamedHeader) -> None:
        parent, child = self._headers.get(height - 1), self._headers.get(height + 1)
        forks = (parent is not None and named.header.parent_hash != parent.hash) or (
            child is not None and child.header.parent_hash != named.hash
        )
        if forks:
            self._headers.clear()
            raise BadAnswer("eth_getBlockByNumber", "parentHash", "forks from a final block", got=named.hash)
        self._headers[height] = named
        while len(self._headers) > CACHED_BLOCKS:
            self._headers.popitem(last=False)
