"""Headers of a QBFT chain for its counterparties' `bft-evm` clients."""

from collections.abc import Awaitable, Callable

from adapters.evm.proofs import AccountProof, ReadHeader
from adapters.ics26.execution import Block
from adapters.interface import BadAnswer, HeightUnavailable, NotSupported
from light_clients.bft_evm import block_hash, decode_extra_data, encode_header_message, header_of
from light_clients.bft_evm.predicates import overlap_size, recover_committers
from light_clients.evm_header import ExecutionHeader, header_from_rpc
from light_clients.interface import Height, VerificationError

CLIENT_TYPE = "bft-evm"
MAX_CLIENT_MESSAGES = 32
"""Headers of one update. Each step halves the distance, so this bridges any number of single-validator changes
that a trusting period can hold."""

ReadAccount = Callable[[int], Awaitable[AccountProof]]


def check_block_hash(block: Block) -> ExecutionHeader:
    """Rebuild the header from the answer; its on-chain hash (without round and seals) must be the block's.

    Raises:
        BadAnswer: fields are missing or malformed, or hash to something else.
    """
    try:
        header = header_from_rpc(block.fields.value)
        got = block_hash(header, decode_extra_data(header.extra_data))
    except VerificationError as error:
        raise BadAnswer("eth_getBlockByNumber", "result", str(error)) from error
    if got != block.hash:
        raise BadAnswer("eth_getBlockByNumber", "hash", "is not the hash of the header's fields", got=block.hash)
    return header


class HeaderSource:
    """Builds update messages from any trusted to any target height."""

    def __init__(self, chain: str, header: ReadHeader, account: ReadAccount) -> None:
        self._chain = chain
        self._header = header
        self._account = account

    async def client_messages(self, client_type: str, trusted: Height, target: Height) -> tuple[bytes, ...]:
        """See ChainAdapter. Steps where too few of the trusted validators sealed are halved."""
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"{client_type} headers of an EVM chain with QBFT")
        if target == trusted:
            return ()
        if target < trusted:
            raise HeightUnavailable(self._chain, target.revision_height, f"the client is at {trusted} already")
        steps = await self._steps(trusted.revision_height, target.revision_height)
        messages = []
        at = trusted
        for height in steps:
            messages.append(await self._message(at, height))
            at = Height(0, height)
        return tuple(messages)

    async def _message(self, trusted: Height, height: int) -> bytes:
        _, header = await self._header(height)
        account = await self._account(height)
        return encode_header_message(header_of(trusted, header, account.nodes))

    async def _steps(self, trusted: int, target: int) -> list[int]:
        steps: list[int] = []
        at, goals = trusted, [target]
        while goals:
            if await self._trusts(at, goals[-1]):
                at = goals.pop()
                steps.append(at)
            elif goals[-1] == at + 1:
                raise HeightUnavailable(
                    self._chain, goals[-1], f"its sealers hold too few of the validators of {at}: no update can pass"
                )
            else:
                goals.append((at + goals[-1]) // 2)
            if len(steps) + len(goals) > MAX_CLIENT_MESSAGES:
                raise HeightUnavailable(self._chain, target, f"more than {MAX_CLIENT_MESSAGES} headers from {trusted}")
        return steps

    async def _trusts(self, trusted: int, target: int) -> bool:
        """More than a third of the validators listed at `trusted` sealed `target` (rule 7 of the design)."""
        _, trusted_header = await self._header(trusted)
        _, target_header = await self._header(target)
        try:
            validators = frozenset(decode_extra_data(trusted_header.extra_data).validators)
            committers = recover_committers(header_of(Height(0, trusted), target_header, ()))
        except VerificationError as error:
            raise BadAnswer("eth_getBlockByNumber", "extraData", str(error)) from error
        return len(committers & validators) >= overlap_size(len(validators))
