"""Calls of `Transfer.sol` (docs/spec/transfer.md): sending tokens, limits, amounts that wait for their owners."""

from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration.delayed import Progress, call_after_delay
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.events import indexed_arguments
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer, RefusedByChain
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.interface import MalformedInput

LIMIT_TUPLE = "(uint128,uint128,uint128,uint32,uint32)"
UNLIMITED = 2**128 - 1

SEND_TRANSFER = Function("sendTransfer", ("string", "address", "uint256", "string", "string", "uint64"), ("uint64",))
SEND_FORWARDED = Function("sendForwarded", ("string", "string", "address", "uint256", "string", "uint64"), ("uint64",))
RELEASE = Function("release", ("bytes32",))
RELEASE_TO = Function("releaseTo", ("bytes32", "address"))
HELD_ID = Function("heldId", ("bool", "string", "uint64"), ("bytes32",))
HELD = Function("held", ("bytes32",), ("address", "uint64", "address", "uint256"))
LIMITER = "the limiter role to set what may move of a token"
SET_CLIENT_LIMIT = Function("setClientLimit", ("string", "address", LIMIT_TUPLE))
SET_ORIGIN_LIMIT = Function("setOriginLimit", ("string", LIMIT_TUPLE))
CLIENT_LIMIT = Function("clientLimit", ("string", "address"), (LIMIT_TUPLE, "uint256", "uint256"))
ORIGIN_LIMIT = Function("originLimit", ("string", "address"), (LIMIT_TUPLE, "uint256", "uint256"))
HUB_CLIENT_ID = Function("hubClientId", (), ("string",))
VOUCHER_ADDRESS = Function("voucherAddress", ("string",), ("address",))
DENOM_OF = Function("denomOf", ("address",), ("string",))
BALANCE_OF = Function("balanceOf", ("address",), ("uint256",))
ALLOWANCE = Function("allowance", ("address", "address"), ("uint256",))
APPROVE = Function("approve", ("address", "uint256"))

TRANSFER_SENT_TOPIC = keccak256(b"TransferSent(string,uint64,address,address,string,uint256,string,string,uint64)")


@dataclass(frozen=True, slots=True)
class Limit:
    """What one window may move, in smallest units; None is without a bound. `window_s` 0: there is no limit."""

    send_cap: int | None = None
    receive_cap: int | None = None
    delay_above: int | None = None
    window_s: int = 0
    delay_s: int = 0

    def as_tuple(self) -> tuple[int, ...]:
        """(send cap, receive cap, delay above, window, delay) for `LIMIT_TUPLE`; no bound is UNLIMITED there."""
        caps = (self.send_cap, self.receive_cap, self.delay_above)
        return (*(UNLIMITED if cap is None else cap for cap in caps), self.window_s, self.delay_s)

    @staticmethod
    def of(fields: tuple[int, ...]) -> "Limit":
        """The limit that a contract returned as `LIMIT_TUPLE`: the inverse of `as_tuple`."""
        *caps, window_s, delay_s = fields
        send, receive, above = (None if cap == UNLIMITED else cap for cap in caps)
        return Limit(send, receive, above, window_s, delay_s)


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit and what its current window has moved."""

    limit: Limit
    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class HeldAmount:
    """An amount that waits; `token` and `owner` are EIP-55 addresses."""

    id: bytes
    token: str
    owner: str
    amount: int
    releasable_at_s: int


@dataclass(frozen=True, slots=True)
class SentTransfer:
    """`client` and `sequence` name the packet on its source."""

    client: str
    sequence: int
    denom: str
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What to send. With `next_client` over the hub to the chain behind that client of the hub."""

    client: str
    token: bytes
    amount: int
    receiver: str
    timeout_timestamp_s: int
    next_client: str | None = None
    memo: str = ""


async def _read(execution: ExecutionRpc, address: bytes, function: Function, *arguments: Any) -> tuple[Any, ...]:
    return function.decode(await execution.call(address, function.encode(*arguments)))


async def hub_client_of(execution: ExecutionRpc, transfer: bytes) -> str:
    """The client of the hub over which a Transfer (20 bytes) forwards; empty if it forwards over none.

    Raises:
        RefusedByChain, BadAnswer: no Transfer is there.
    """
    (client_id,) = await _read(execution, transfer, HUB_CLIENT_ID)
    return str(client_id)


async def voucher_of(execution: ExecutionRpc, transfer: bytes, trace: str) -> bytes:
    """Address of the voucher for a trace (`transfer/client-0/…`), 20 bytes, whether or not the voucher exists yet.

    Raises:
        MalformedInput: not a trace.
        RefusedByChain, BadAnswer: no Transfer is there.
    """
    (address,) = await _read(execution, transfer, VOUCHER_ADDRESS, Denom.parse(trace).path)
    return bytes(to_canonical_address(address))


async def balance_of(execution: ExecutionRpc, token: bytes, holder: bytes) -> int:
    """What `holder` (20 bytes) has of an ERC-20, in its smallest unit; 0 of a voucher that does not exist yet.

    Raises:
        RefusedByChain: the contract is not a token.
    """
    if not await execution.code(token):
        return 0
    try:
        (amount,) = await _read(execution, token, BALANCE_OF, holder)
    except (BadAnswer, MalformedInput, RefusedByChain):
        raise RefusedByChain(
            "NoToken", f"{to_checksum_address(token)} is not a token: it does not answer balanceOf"
        ) from None
    return int(amount)


async def send_tokens(transactor: Transactor, transfer: bytes, order: Order) -> SentTransfer:
    """Allow Transfer to take exactly the amount where it may not yet, then send.

    A voucher that goes home is burnt, which needs no allowance.

    Args:
        transfer: address of 20 bytes, as is the order's token.

    Raises:
        RefusedByChain: the approval or the send would revert, or did.
        BroadcastRefused: the pool does not take one of them.
        BadAnswer: the receipt has no TransferSent event, or one without its sequence.
    """
    execution, sender = transactor.execution, to_canonical_address(transactor.signer.address)
    (denom,) = await _read(execution, transfer, DENOM_OF, order.token)
    if not Denom.parse(denom).is_returning("transfer", order.client):
        (allowed,) = await _read(execution, order.token, ALLOWANCE, sender, transfer)
        if allowed < order.amount:
            await transactor.send(order.token, APPROVE.encode(transfer, order.amount))
    if order.next_client is None:
        data = SEND_TRANSFER.encode(
            order.client, order.token, order.amount, order.receiver, order.memo, order.timeout_timestamp_s
        )
    else:
        data = SEND_FORWARDED.encode(
            order.client, order.next_client, order.token, order.amount, order.receiver, order.timeout_timestamp_s
        )
    receipt = await transactor.send(transfer, data)
    for log in receipt.logs:
        if log.address == transfer and log.topics[:1] == (TRANSFER_SENT_TOPIC,):
            sequence, _, _ = indexed_arguments(log, 3, "eth_getTransactionReceipt")
            return SentTransfer(order.client, int.from_bytes(sequence, "big"), denom, receipt.transaction_hash)
    raise BadAnswer("eth_getTransactionReceipt", "logs", "have no TransferSent event")


async def client_limit(execution: ExecutionRpc, transfer: bytes, client_id: str, token: bytes) -> LimitUse:
    """The limit of one token over one client, and how much of it is used. Amounts are in the token's smallest unit.

    Args:
        transfer, token: addresses of 20 bytes.
    """
    fields, sent, received = await _read(execution, transfer, CLIENT_LIMIT, client_id, token)
    return LimitUse(Limit.of(fields), sent, received)


async def origin_limit(execution: ExecutionRpc, transfer: bytes, trace: str, token: bytes) -> LimitUse:
    """The limit that a token has by the rule of its origin, and how much of it is used.

    Args:
        transfer, token: addresses of 20 bytes.
        trace: hops of the origin; empty for tokens of this chain.
    """
    fields, sent, received = await _read(execution, transfer, ORIGIN_LIMIT, trace, token)
    return LimitUse(Limit.of(fields), sent, received)


async def set_client_limit(
    transactor: Transactor, transfer: bytes, client_id: str, token: bytes, limit: Limit
) -> Progress:
    """Limit one token over one client, after the limiter role's delay: see `call_after_delay`.

    Args:
        transfer, token: addresses of 20 bytes.

    Raises:
        RefusedByChain: the sender does not have the limiter role.
    """
    data = SET_CLIENT_LIMIT.encode(client_id, token, limit.as_tuple())
    return await call_after_delay(transactor, transfer, data, LIMITER)


async def set_origin_limit(transactor: Transactor, transfer: bytes, trace: str, limit: Limit) -> Progress:
    """Limit each token of an origin, after the limiter role's delay: see `call_after_delay`.

    Args:
        transfer: address of 20 bytes.
        trace: hops of the origin; empty for tokens of this chain.

    Raises:
        RefusedByChain: the sender does not have the limiter role.
    """
    return await call_after_delay(transactor, transfer, SET_ORIGIN_LIMIT.encode(trace, limit.as_tuple()), LIMITER)


async def held_amount(
    execution: ExecutionRpc, transfer: bytes, refund: bool, client_id: str, sequence: int
) -> HeldAmount | None:
    """What a Transfer keeps of a packet: a large receive, or a refund that could not be paid.

    Args:
        refund: which of the two.
        client_id, sequence: of the packet, as this chain names it.

    Returns:
        None if nothing is kept.
    """
    (held_id,) = await _read(execution, transfer, HELD_ID, refund, client_id, sequence)
    token, releasable_at_s, owner, amount = await _read(execution, transfer, HELD, held_id)
    if amount == 0:
        return None
    return HeldAmount(held_id, to_checksum_address(token), to_checksum_address(owner), amount, releasable_at_s)


async def release(transactor: Transactor, transfer: bytes, held_id: bytes) -> Receipt:
    """Pay a held amount to its owner; anyone may, once its time has come.

    Args:
        held_id: 32 bytes, as `HeldAmount.id`.

    Raises:
        RefusedByChain: its time has not come, nothing is held under this id, or the contract is paused.
    """
    return await transactor.send(transfer, RELEASE.encode(held_id))


async def claim(transactor: Transactor, transfer: bytes, held_id: bytes, to: bytes) -> Receipt:
    """Pay a held amount to the address `to` (20 bytes) instead of its owner's.

    Args:
        held_id: 32 bytes, as `HeldAmount.id`.

    Raises:
        RefusedByChain: another account than the owner sends this, `to` cannot hold the token, or as `release`.
    """
    return await transactor.send(transfer, RELEASE_TO.encode(held_id, to))
