"""What operators ask of a Cosmos SDK chain: parameters of its modules, proposals, balances. An endpoint's word, never
proof.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

from google.protobuf.message import Message

from hutong.adapters.cosmos.rpc import CosmosRpc
from hutong.adapters.cosmos.transactions.accounts import parse_answer, refused
from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.interface import BadAnswer
from hutong.light_clients.ibc.denom import Denom, Hop
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.errors import shown
from hutong.light_clients.protobuf.cosmos_queries_pb2 import (
    PageRequest,
    QueryAllBalancesRequest,
    QueryAllBalancesResponse,
    QueryClientParamsResponse,
    QueryDenomRequest,
    QueryDenomResponse,
    QueryGovernanceParamsResponse,
    QueryProposalRequest,
    QueryProposalResponse,
    QueryStakingParamsResponse,
)

MAX_COINS = 10_000
COINS_A_PAGE = 500
MAX_AMOUNT_DIGITS = 78
MAX_DENOM_CHARS = 128
ALL_CLIENTS = "*"

MessageT = TypeVar("MessageT", bound=Message)


class ProposalStatus(IntEnum):
    """Of x/gov, version 1."""

    DEPOSIT_PERIOD = 1
    VOTING_PERIOD = 2
    PASSED = 3
    REJECTED = 4
    FAILED = 5

    @property
    def is_open(self) -> bool:
        """Whether the proposal may still come to a result: it collects deposits, or is voted on."""
        return self in (ProposalStatus.DEPOSIT_PERIOD, ProposalStatus.VOTING_PERIOD)


@dataclass(frozen=True, slots=True)
class Proposal:
    """`failed_reason` where it passed and its messages failed."""

    id: int
    status: ProposalStatus
    failed_reason: str


@dataclass(frozen=True, slots=True)
class GovernanceParameters:
    """Less than `min_deposit` brings no proposal to the vote."""

    min_deposit: tuple[Coin, ...]
    voting_period_s: int


class Queries:
    """Of one chain, on its newest state."""

    def __init__(self, rpc: CosmosRpc) -> None:
        self._rpc = rpc

    async def unbonding_period_s(self) -> int:
        """For how long a removed validator stays accountable: clients of the chain must trust for less.

        Raises:
            BadAnswer: less than a second, or malformed.
            RpcRefused: the chain has no x/staking, or refuses otherwise.
        """
        method = "/cosmos.staking.v1beta1.Query/Params"
        answer = await self._ask(method, b"", QueryStakingParamsResponse)
        seconds = int(answer.params.unbonding_time.seconds)
        if seconds < 1:
            raise BadAnswer(method, "params.unbonding_time", "is not a second or more", got=seconds)
        return seconds

    async def allowed_clients(self) -> tuple[str, ...]:
        """Client types that the chain's governance admits, such as `07-tendermint`; `*` admits all.

        Raises:
            BadAnswer: malformed. RpcRefused: the application refuses.
        """
        answer = await self._ask("/ibc.core.client.v1.Query/ClientParams", b"", QueryClientParamsResponse)
        return tuple(answer.params.allowed_clients)

    async def governance(self) -> GovernanceParameters:
        """What a proposal of x/gov needs now: its deposit in smallest units, and for how long it is voted on.

        Raises:
            BadAnswer: malformed. RpcRefused: the application refuses.
        """
        method = "/cosmos.gov.v1.Query/Params"
        answer = await self._ask(method, b"", QueryGovernanceParamsResponse)
        deposit = tuple(
            Coin(_amount(method, coin.amount), _denom(method, coin.denom)) for coin in answer.params.min_deposit
        )
        return GovernanceParameters(deposit, int(answer.params.voting_period.seconds))

    async def proposal(self, number: int) -> Proposal:
        """A proposal of x/gov by its number, as a node says it is.

        Raises:
            RpcRefused: the chain has no proposal of that number.
            BadAnswer: another proposal, an unknown status, or malformed.
        """
        method = "/cosmos.gov.v1.Query/Proposal"
        answer = await self._ask(method, _bytes(QueryProposalRequest(proposal_id=number)), QueryProposalResponse)
        found = answer.proposal
        if found.id != number or found.status not in tuple(ProposalStatus):
            raise BadAnswer(method, "proposal", "is not the one asked for, or of an unknown status", got=found.status)
        return Proposal(number, ProposalStatus(found.status), shown(found.failed_reason) if found.failed_reason else "")

    async def balances(self, address: str) -> tuple[Coin, ...]:
        """All coins of an account, page by page, in smallest units.

        Args:
            address: bech32 text.

        Raises:
            BadAnswer: more than MAX_COINS coins, an empty page before the last, or malformed.
            RpcRefused: the application refuses the address.
        """
        method = "/cosmos.bank.v1beta1.Query/AllBalances"
        found: list[Coin] = []
        key = b""
        while True:
            page = QueryAllBalancesRequest(address=address, pagination=PageRequest(key=key, limit=COINS_A_PAGE))
            answer = await self._ask(method, _bytes(page), QueryAllBalancesResponse)
            found += [Coin(_amount(method, coin.amount), _denom(method, coin.denom)) for coin in answer.balances]
            key = answer.pagination.next_key
            if not key:
                return tuple(found)
            if not answer.balances or len(found) > MAX_COINS:
                raise BadAnswer(method, "balances", f"empty pages, or more than {MAX_COINS} coins", got=len(found))

    async def trace(self, denom: str) -> Denom:
        """Where a voucher `ibc/<HEX>` came from. The answer is checked against the name, which is its hash.

        Raises:
            BadAnswer: it hashes to another name, or is malformed.
            RpcRefused: the chain knows no such voucher.
        """
        method = "/ibc.applications.transfer.v1.Query/Denom"
        request = _bytes(QueryDenomRequest(hash=denom.removeprefix("ibc/")))
        answer = (await self._ask(method, request, QueryDenomResponse)).denom
        try:
            trace = Denom(answer.base, tuple(Hop(hop.port_id, hop.channel_id) for hop in answer.trace))
        except MalformedInput as error:
            raise BadAnswer(method, "denom", str(error)) from error
        if trace.local_name != denom:
            raise BadAnswer(method, "denom", "does not hash to the name asked for", got=trace.path)
        return trace

    async def _ask(self, method: str, request: bytes, answer: type[MessageT]) -> MessageT:
        """Raises RpcRefused: the application answered with an error."""
        got = await self._rpc.service(method, request)
        if got.code:
            raise refused(method, got)
        return parse_answer(answer, got.value, method)


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


def _amount(method: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_AMOUNT_DIGITS):
        raise BadAnswer(method, "amount", "is not a decimal number", got=text)
    return int(text)


def _denom(method: str, text: str) -> str:
    if not 0 < len(text) <= MAX_DENOM_CHARS or not text.isascii() or not text.isprintable():
        raise BadAnswer(method, "denom", "is not a denomination", got=text)
    return text
