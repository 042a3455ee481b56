"""Accounts and balances, asked of the application's query services. What a node says here is a hint: it is not proven."""

from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtobufMessage

from hutong.adapters.cosmos.refusals import SDK, own_address_refusal
from hutong.adapters.cosmos.rpc import CosmosRpc, ServiceAnswer
from hutong.adapters.interface import BadAnswer, NotSupported, RpcRefused
from hutong.light_clients.protobuf.cosmos_tx_pb2 import (
    BaseAccount,
    QueryAccountRequest,
    QueryAccountResponse,
    QueryBalanceRequest,
    QueryBalanceResponse,
    VestingAccount,
)

ACCOUNT_METHOD = "/cosmos.auth.v1beta1.Query/Account"
BALANCE_METHOD = "/cosmos.bank.v1beta1.Query/Balance"
NOT_FOUND = (SDK, 22)
MAX_ANSWER_BYTES = 6 << 20
MAX_SEQUENCE = 2**63 - 1
MAX_AMOUNT_DIGITS = 78

BASE_ACCOUNT_URL = "/cosmos.auth.v1beta1.BaseAccount"
VESTING_URLS = frozenset(
    f"/cosmos.vesting.v1beta1.{kind}VestingAccount" for kind in ("Continuous", "Delayed", "Periodic", "PermanentLocked")
)

MessageT = TypeVar("MessageT", bound=ProtobufMessage)


@dataclass(frozen=True, slots=True)
class Account:
    """`exists` False: never funded, so the chain does not know it; numbers are then 0."""

    exists: bool
    number: int
    sequence: int


NO_ACCOUNT = Account(exists=False, number=0, sequence=0)


def parse_answer(message_type: type[MessageT], data: bytes, method: str) -> MessageT:
    """Read a response message of at most MAX_ANSWER_BYTES. Fields that newer SDKs added are passed over.

    Args:
        method: named in errors.

    Raises:
        BadAnswer: too many bytes, or not this message.
    """
    if len(data) > MAX_ANSWER_BYTES:
        raise BadAnswer(method, "response.value", f"more than {MAX_ANSWER_BYTES} bytes", got=len(data))
    message = message_type()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise BadAnswer(method, "response.value", f"is not a {message_type.__name__}") from error
    return message


def refused(method: str, answer: ServiceAnswer) -> RpcRefused:
    """The error of a query about one of our addresses that the application refused, with a sentence to act on."""
    return RpcRefused(method, answer.code, own_address_refusal(answer.codespace, answer.code, answer.log))


def decode_account(data: bytes, address: str) -> Account:
    """A QueryAccountResponse about `address`.

    Raises:
        BadAnswer: malformed, out of bounds, or about another account.
        NotSupported: a kind of account that does not sign with one secp256k1 key, or that we do not know.
    """
    account = parse_answer(QueryAccountResponse, data, ACCOUNT_METHOD).account
    if account.type_url == BASE_ACCOUNT_URL:
        base = parse_answer(BaseAccount, account.value, ACCOUNT_METHOD)
    elif account.type_url in VESTING_URLS:
        base = parse_answer(VestingAccount, account.value, ACCOUNT_METHOD).base_vesting_account.base_account
    else:
        raise NotSupported(f"signing for {address}: it is an account of type {account.type_url[:128]!r}")
    if base.address != address:
        raise BadAnswer(ACCOUNT_METHOD, "account.address", "is not the asked one", got=base.address[:128])
    for name in ("account_number", "sequence"):
        if getattr(base, name) > MAX_SEQUENCE:
            raise BadAnswer(ACCOUNT_METHOD, f"account.{name}", "is out of bounds", got=getattr(base, name))
    return Account(exists=True, number=base.account_number, sequence=base.sequence)


def decode_balance(data: bytes, denom: str) -> int:
    """The amount in a QueryBalanceResponse, in the smallest unit of `denom`.

    Raises:
        BadAnswer: malformed, of another denomination, or not a decimal of at most MAX_AMOUNT_DIGITS digits.
    """
    coin = parse_answer(QueryBalanceResponse, data, BALANCE_METHOD).balance
    if coin.denom != denom:
        raise BadAnswer(BALANCE_METHOD, "balance.denom", f"is not {denom}", got=coin.denom[:128])
    if not (coin.amount.isascii() and coin.amount.isdigit() and len(coin.amount) <= MAX_AMOUNT_DIGITS):
        raise BadAnswer(BALANCE_METHOD, "balance.amount", "is not a decimal number", got=coin.amount[:128])
    return int(coin.amount)


class Accounts:
    """Newest state: every block of a CometBFT chain is final, so what it says is final too."""

    def __init__(self, rpc: CosmosRpc) -> None:
        self._rpc = rpc
        self._numbers: dict[str, int] = {}

    async def account(self, address: str) -> Account:
        """The account on the newest state; `NO_ACCOUNT` if the chain does not know it, which is so until it is funded.

        Raises:
            RpcRefused: the application refuses for another reason, such as an address with a wrong prefix.
            NotSupported: the account does not sign with one secp256k1 key.
            BadAnswer: the response is malformed or about another account.
            EndpointUnavailable: no endpoint answers.
        """
        request = QueryAccountRequest(address=address).SerializeToString(deterministic=True)
        answer = await self._rpc.service(ACCOUNT_METHOD, request)
        if (answer.codespace, answer.code) == NOT_FOUND:
            return NO_ACCOUNT
        if answer.code:
            raise refused(ACCOUNT_METHOD, answer)
        account = decode_account(answer.value, address)
        self._numbers[address] = account.number
        return account

    async def number(self, address: str) -> int:
        """The account's number, which SignDocs bind; it is asked for once. 0, not kept, for an unknown account.

        Raises:
            As `account`.
        """
        if address not in self._numbers:
            return (await self.account(address)).number
        return self._numbers[address]

    def forget_number(self, address: str) -> None:
        """Ask for the number again at the next use: the chain refused a signature over the known one."""
        self._numbers.pop(address, None)

    async def balance(self, address: str, denom: str) -> int:
        """What the account has of `denom` on the newest state, in its smallest unit; 0 if it has none.

        Raises:
            RpcRefused: the application refuses, such as for an address with a wrong prefix.
            BadAnswer: the response is malformed or of another denomination.
            EndpointUnavailable: no endpoint answers.
        """
        request = QueryBalanceRequest(address=address, denom=denom).SerializeToString(deterministic=True)
        answer = await self._rpc.service(BALANCE_METHOD, request)
        if answer.code:
            raise refused(BALANCE_METHOD, answer)
        return decode_balance(answer.value, denom)
