"""Headers of a BFT chain (QBFT, IBFT 2.0, Istanbul) for its counterparties' `bft-evm` clients."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hutong.adapters.evm.bft.validators import ListedValidators, Validators
from hutong.adapters.evm.proofs import AccountProof, ReadHeader
from hutong.adapters.ics26.answers import Block
from hutong.adapters.interface import BadAnswer, HeightUnavailable, NotSupported
from hutong.light_clients.bft_evm import (
    Consensus,
    Header,
    SealRules,
    block_hash,
    decode_extra_data,
    encode_header_message,
    header_of,
)
from hutong.light_clients.bft_evm.predicates import (
    commit_seals_of_validators,
    quorum_of_own_validators,
    recover_all_committers,
)
from hutong.light_clients.evm_header import ExecutionHeader, header_from_rpc
from hutong.light_clients.interface import Height, VerificationError

CLIENT_TYPE = "bft-evm"
MAX_CLIENT_MESSAGES = 32
"""Headers of one update. Each step halves the distance, so this bridges any number of single-validator changes
that a trusting period can hold."""
QBFT = SealRules()

ReadAccount = Callable[[int], Awaitable[AccountProof]]


def check_block_hash(block: Block, consensus: Consensus = Consensus.QBFT) -> ExecutionHeader:
    """Rebuild the header from the answer; its on-chain hash (without seals) must be the block's.

    Raises:
        BadAnswer: fields are missing or malformed, or hash to something else.
    """
    try:
        header = header_from_rpc(block.fields.value)
        got = block_hash(header, decode_extra_data(header.extra_data, consensus))
    except VerificationError as error:
        raise BadAnswer("eth_getBlockByNumber", "result", str(error)) from error
    if got != block.hash:
        raise BadAnswer("eth_getBlockByNumber", "hash", "is not the hash of the header's fields", got=block.hash)
    return header


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """A header with a quorum of valid seals by its own list; where a contract selects it, `validators` are its sealers."""

    height: int
    hash: bytes
    header: ExecutionHeader
    validators: frozenset[bytes]
    committers: frozenset[bytes]


def check_seals(block: Block, rules: SealRules = QBFT) -> SealedHeader:
    """As `check_block_hash`, and a quorum of the listed validators sealed it; nobody seals a genesis block.

    Where a contract selects the validators, the header alone does not say who they are: that all seals are signatures
    is all that is asked here.

    Raises:
        BadAnswer: seals are missing, or not those of listed validators.
    """
    header = check_block_hash(block, rules.consensus)
    try:
        update = header_of(Height(0, 0), header, (), rules.consensus)
        validators = frozenset(update.extra.validators)
        committers = _committers(update, validators, rules)
    except VerificationError as error:
        raise BadAnswer("eth_getBlockByNumber", "extraData", str(error)) from error
    if rules.validator_contract is not None:
        validators = committers
    return SealedHeader(header.number, block.hash, header, validators, committers)


def _committers(update: Header, validators: frozenset[bytes], rules: SealRules) -> frozenset[bytes]:
    if update.execution.number == 0:
        return validators
    if rules.validator_contract is not None:
        return recover_all_committers(update)
    committers = commit_seals_of_validators(update, update.extra.validators)
    quorum_of_own_validators(len(validators), committers, rules.quorum_rule)
    return committers


async def steps_between(
    chain: str, read: ReadHeader, trusted: int, target: int, validators: Validators | None = None
) -> list[int]:
    """Heights of the headers that lead a client from `trusted` to `target`; where a step is too far it is halved.

    Raises:
        HeightUnavailable: two neighbours share too few validators, or the steps are too many.
    """
    lists = ListedValidators(QBFT) if validators is None else validators
    steps: list[int] = []
    at, goals = trusted, [target]
    while goals:
        if await _trusts(read, lists, at, goals[-1]):
            at = goals.pop()
            steps.append(at)
        elif goals[-1] == at + 1:
            raise HeightUnavailable(
                chain, goals[-1], f"its sealers hold too few of the validators of {at}: no update can pass"
            )
        else:
            goals.append((at + goals[-1]) // 2)
        if len(steps) + len(goals) > MAX_CLIENT_MESSAGES:
            raise HeightUnavailable(chain, target, f"more than {MAX_CLIENT_MESSAGES} headers from {trusted}")
    return steps


async def _trusts(read: ReadHeader, lists: Validators, trusted: int, target: int) -> bool:
    _, trusted_header = await read(trusted)
    _, target_header = await read(target)
    validators = await lists.of(target_header)
    try:
        update = header_of(Height(0, trusted), target_header, (), lists.rules.consensus)
        committers = commit_seals_of_validators(update, validators)
    except VerificationError as error:
        raise BadAnswer("eth_getBlockByNumber", "extraData", str(error)) from error
    return await lists.vouch(trusted_header, committers)


class HeaderSource:
    """Builds update messages from any trusted to any target height."""

    def __init__(
        self, chain: str, header: ReadHeader, account: ReadAccount, validators: Validators | None = None
    ) -> None:
        """Without `validators` the chain's headers are QBFT's and list them."""
        self._chain = chain
        self._validators = ListedValidators(QBFT) if validators is None else validators
        self._header = header
        self._account = account

    async def client_messages(self, client_type: str, trusted: Height, target: Height) -> tuple[bytes, ...]:
        """See ChainAdapter. Steps where too few of the trusted validators sealed are halved.

        Raises:
            NotSupported: a client type other than `bft-evm`.
            HeightUnavailable: `target` is below `trusted`, more than MAX_CLIENT_MESSAGES headers lie between, two
                neighbours share too few validators, or no endpoint keeps a state that must be proven.
            BadAnswer: a header's extra data is malformed.
            EndpointUnavailable: no endpoint gave a header or the router's proof.
        """
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"{client_type} headers of an EVM chain whose validators seal its blocks")
        if target == trusted:
            return ()
        if target < trusted:
            raise HeightUnavailable(self._chain, target.revision_height, f"the client is at {trusted} already")
        steps = await steps_between(
            self._chain, self._header, trusted.revision_height, target.revision_height, self._validators
        )
        messages = []
        at = trusted
        for height in steps:
            messages.append(await self._message(at, height))
            at = Height(0, height)
        return tuple(messages)

    async def _message(self, trusted: Height, height: int) -> bytes:
        _, header = await self._header(height)
        account = await self._account(height)
        proof = await self._validators.proof(header)
        update = header_of(trusted, header, account.nodes, self._validators.rules.consensus, proof)
        return encode_header_message(update)
