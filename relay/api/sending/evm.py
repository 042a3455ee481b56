"""Calls of an EVM chain's Transfer and Mailbox, unsigned: found through the router's ports, priced, and tried."""

from dataclasses import dataclass

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration.limit_windows import told_with_window
from hutong.adapters.evm.administration.transfer import (
    ALLOWANCE,
    APPROVE,
    DENOM_OF,
    SEND_FORWARDED,
    SEND_TRANSFER,
    balance_of,
    voucher_of,
)
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.fees import Fees, current_fees
from hutong.adapters.ics26.submission import prepare_call
from hutong.adapters.ics26.transactor import MAX_CALL_GAS
from hutong.adapters.interface import RefusedByChain
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import MalformedInput
from hutong.relay.api.reading.chain_views import router_app
from hutong.relay.api.reading.ways import Way
from hutong.relay.api.sending.addresses import evm_address
from hutong.relay.api.sending.contract_rules import check_send
from hutong.relay.api.sending.wishes import MAX_UINT256, Made, Wish
from hutong.relay.schemas.sending import Sends, UnsignedEvm
from hutong.relay.web.problems import ApiProblem, Code, refused_field

SEND_MESSAGE = Function("sendMessage", ("string", "string", "bytes", "uint64"), ("bytes32", "uint64"))
SEND_FORWARDED_MESSAGE = Function(
    "sendForwarded", ("string", "string", "string", "bytes", "uint64"), ("bytes32", "uint64")
)
SEND_MESSAGE_WITH_GAS = Function(
    "sendMessageWithGas", ("string", "string", "bytes", "uint64", "uint256"), ("bytes32", "uint64")
)
SEND_FORWARDED_MESSAGE_WITH_GAS = Function(
    "sendForwardedWithGas", ("string", "string", "string", "bytes", "uint64", "uint256"), ("bytes32", "uint64")
)
MAX_RECEIVE_GAS_OF = Function("MAX_RECEIVE_GAS", (), ("uint256",))


@dataclass(frozen=True, slots=True)
class _Account:
    """Who signs, from which nonce on, at which price."""

    chain: str
    chain_id: int
    sender: str
    nonce: int
    fees: Fees

    def call(self, number: int, to: bytes, data: bytes, gas: int | None, purpose: str) -> UnsignedEvm:
        """The transaction `number` places after the next one."""
        return UnsignedEvm(
            chain=self.chain,
            kind="evm",
            chain_id=self.chain_id,
            sender=self.sender,
            to=to_checksum_address(to),
            data=hex_data(data),
            value="0",
            gas=gas,
            nonce=self.nonce + number,
            max_fee_per_gas_wei=self.fees.max_fee_per_gas_wei,
            max_priority_fee_per_gas_wei=self.fees.max_priority_fee_per_gas_wei,
            purpose=purpose,
        )


async def prepare_on_evm(adapter: RouterChain, wish: Wish) -> Made:
    """The calls that do it, the last one tried on the newest state where nothing must come before it.

    Raises:
        ApiProblem: a field cannot be what it should be.
        RefusedByChain: the chain would refuse it.
        AdapterError: the chain does not answer.
    """
    sender = to_checksum_address(evm_address(wish.sender, "sender"))
    execution = adapter.execution
    account = _Account(
        adapter.name,
        await adapter.eth_chain_id(),
        sender,
        await execution.nonce(sender, "pending"),
        await current_fees(execution),
    )
    if wish.payload is not None:
        way = wish.choice.first
        calls = [await _message(adapter, account, wish, way, wish.payload)]
    else:
        way, calls = await _transfer(adapter, account, wish)
    sequence = await adapter.next_sequence_send(way.client)
    return Made(way, calls, Sends(chain=adapter.name, client=way.client, sequence=sequence))


async def _message(adapter: RouterChain, account: _Account, wish: Wish, way: Way, payload: bytes) -> UnsignedEvm:
    mailbox = await _app(adapter, GMP_PORT, "Mailbox")
    await check_send(adapter.execution, mailbox, way, wish.timeout_timestamp_s)
    asked = () if wish.receive_gas is None else (wish.receive_gas,)
    if asked:
        await _require_receive_gas(adapter, mailbox)
    if way.next_client is None:
        function = SEND_MESSAGE_WITH_GAS if asked else SEND_MESSAGE
        data = function.encode(way.client, wish.receiver, payload, wish.timeout_timestamp_s, *asked)
    else:
        function = SEND_FORWARDED_MESSAGE_WITH_GAS if asked else SEND_FORWARDED_MESSAGE
        ends = (way.client, way.next_client)
        data = function.encode(*ends, wish.receiver, payload, wish.timeout_timestamp_s, *asked)
    gas = await _gas(adapter.execution, account, mailbox, data)
    return account.call(0, mailbox, data, gas, "send the message")


async def _require_receive_gas(adapter: RouterChain, mailbox: bytes) -> None:
    """Mailboxes from before the payload version with gas have no function for it."""
    try:
        await adapter.execution.call(mailbox, MAX_RECEIVE_GAS_OF.encode())
    except RefusedByChain:
        raise ApiProblem(
            Code.NOT_SUPPORTED, f"the Mailbox of {adapter.name} is older than receive_gas; leave it out"
        ) from None


async def _transfer(adapter: RouterChain, account: _Account, wish: Wish) -> tuple[Way, list[UnsignedEvm]]:
    if wish.amount > MAX_UINT256:
        raise refused_field("amount", "is more than a uint256 holds")
    execution, transfer = adapter.execution, await _app(adapter, TRANSFER_PORT, "Transfer")
    token = await _token(execution, transfer, wish.token)
    denom = Denom.parse(DENOM_OF.decode(await execution.call(transfer, DENOM_OF.encode(token)))[0])
    way = wish.choice.way_for(denom)
    if wish.memo and way.next_client is not None:
        raise refused_field("memo", "is the instruction to the hub on a way over one; leave it empty")
    await check_send(execution, transfer, way, wish.timeout_timestamp_s)
    holder = to_canonical_address(account.sender)
    held = await balance_of(execution, token, holder)
    if held < wish.amount:
        raise RefusedByChain(
            "InsufficientBalance", f"{account.sender} holds {held} of {to_checksum_address(token)}, not {wish.amount}"
        )
    calls = []
    if not denom.is_returning(TRANSFER_PORT, way.client):
        (allowed,) = ALLOWANCE.decode(await execution.call(token, ALLOWANCE.encode(holder, transfer)))
        if allowed < wish.amount:
            approval = APPROVE.encode(transfer, wish.amount)
            gas = await _gas(execution, account, token, approval)
            calls.append(account.call(0, token, approval, gas, "allow Transfer to take exactly the amount"))
    if way.next_client is None:
        data = SEND_TRANSFER.encode(way.client, token, wish.amount, wish.receiver, wish.memo, wish.timeout_timestamp_s)
    else:
        data = SEND_FORWARDED.encode(
            way.client, way.next_client, token, wish.amount, wish.receiver, wish.timeout_timestamp_s
        )
    # Before the allowance is there, a trial fails: the wallet estimates then.
    gas_or_none = None if calls else await _gas_of_send(execution, account, transfer, data)
    return way, [*calls, account.call(len(calls), transfer, data, gas_or_none, "send the tokens")]


async def _gas(execution: ExecutionRpc, account: _Account, to: bytes, data: bytes) -> int:
    return (await prepare_call(execution, account.chain_id, account.sender, to, data, MAX_CALL_GAS)).gas


async def _gas_of_send(execution: ExecutionRpc, account: _Account, transfer: bytes, data: bytes) -> int:
    try:
        return await _gas(execution, account, transfer, data)
    except RefusedByChain as refusal:
        raise await told_with_window(execution, transfer, refusal) from None


async def _app(adapter: RouterChain, port: str, name: str) -> bytes:
    address = await router_app(adapter, port)
    if address is None:
        raise ApiProblem(Code.NOT_SUPPORTED, f"the router of {adapter.name} has no {name} on port {port}")
    return bytes(to_canonical_address(address))


async def _token(execution: ExecutionRpc, transfer: bytes, token: str) -> bytes:
    """The ERC-20 that an address or a voucher's trace means."""
    if "/" not in token:
        if not token.startswith("0x"):
            raise refused_field(
                "token", "is not an address (0x and 40 hex digits) or trace: /v1/tokens lists both; symbols name none"
            )
        address = evm_address(token, "token")
    else:
        try:
            address = await voucher_of(execution, transfer, token)
        except MalformedInput as error:
            raise refused_field("token", f"is not a trace: {error.reason}") from None
    if not await execution.code(address):
        raise RefusedByChain("NoToken", f"there is no token {token[:200]} on this chain")
    return address
