"""From call data to a mined outcome, on any chain that speaks the execution API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from hutong.adapters.ics26.abi import RELAY_BATCH
from hutong.adapters.ics26.answers import MAX_LOG_DATA_BYTES, MinedCall, Receipt
from hutong.adapters.ics26.batch import intrinsic_gas
from hutong.adapters.ics26.events import BATCH_CALL_FAILED_TOPIC, NOOP_TOPIC
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.fees import Fees, current_fees
from hutong.adapters.ics26.noops import noops
from hutong.adapters.interface import (
    AccountState,
    AdapterError,
    AlreadyKnown,
    BadAnswer,
    BatchTooLarge,
    BroadcastRefused,
    InsufficientFunds,
    MessageFailure,
    NonceTooHigh,
    NonceTooLow,
    PreparedTransaction,
    RefusedByChain,
    RpcRefused,
    SignedTransaction,
    TransactionOutcome,
    Underpriced,
)
from hutong.adapters.rpc import all_of
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import MalformedInput

_TOO_LITTLE_GAS = ("InsufficientBatchGas", "empty")
"""A batch that runs out of gas outside its calls reverts without data."""

GAS_MARGIN_PERCENT = 15
"""State moves between estimate and inclusion; what is left is refunded."""


async def prepare_call(
    execution: ExecutionRpc, chain_id: int, sender: str, to: bytes | None, data: bytes, max_gas: int, value_wei: int = 0
) -> PreparedTransaction:
    """Estimate and price one call on the newest state. Nothing is signed or sent.

    Args:
        sender: address as text.
        to: 20 bytes; None creates a contract.
        max_gas: the most that a transaction of this chain may ask for.

    Raises:
        RefusedByChain: the call would revert.
        BatchTooLarge: it needs more than `max_gas`.
    """
    estimate = await execution.estimate_gas(to, data, sender, value_wei)
    if estimate > max_gas:
        raise BatchTooLarge("gas", estimate, max_gas)
    gas = min(max_gas, estimate * (100 + GAS_MARGIN_PERCENT) // 100)
    return _priced(await current_fees(execution), chain_id, sender, to, data, gas, value_wei)


async def prepare_bounded_call(
    execution: ExecutionRpc, chain_id: int, sender: str, to: bytes, data: bytes, gas: int, max_gas: int
) -> PreparedTransaction:
    """Price a call that no node can simulate yet, since it stands on a transaction which is in no block.

    Args:
        sender: address as text.
        to: 20 bytes.
        gas: at most what the call uses; what it leaves is refunded.
        max_gas: the most that a transaction of this chain may ask for.

    Raises:
        BatchTooLarge: `gas` is more than `max_gas`.
        EndpointUnavailable, RpcRefused: no endpoint says the price of gas.
    """
    if gas > max_gas:
        raise BatchTooLarge("gas", gas, max_gas)
    return _priced(await current_fees(execution), chain_id, sender, to, data, gas)


def _priced(
    fees: Fees, chain_id: int, sender: str, to: bytes | None, data: bytes, gas: int, value_wei: int = 0
) -> PreparedTransaction:
    return PreparedTransaction(
        chain_id=chain_id,
        sender=sender,
        to="" if to is None else to_checksum_address(to),
        data=data,
        value_wei=value_wei,
        gas=gas,
        max_fee_per_gas_wei=fees.max_fee_per_gas_wei,
        max_priority_fee_per_gas_wei=fees.max_priority_fee_per_gas_wei,
        gas_price_wei=fees.gas_price_wei,
    )


@dataclass(frozen=True, slots=True)
class BatchCall:
    """A `relayBatch` call that is still to be simulated."""

    data: bytes
    messages: int
    """How many it carries."""
    gas: int
    """A first guess for its execution."""
    max_gas: int
    """The most that a transaction of this chain may ask for."""


async def prepare_batch(
    execution: ExecutionRpc, chain_id: int, sender: str, router: bytes, call: BatchCall
) -> PreparedTransaction:
    """Simulate and price a `relayBatch` call.

    One simulation at exactly that gas tells both which messages would succeed and whether the gas is enough: the router
    reverts the whole batch where a call cannot have its limit. `eth_estimateGas` would run the batch some twenty times.

    Raises:
        BatchTooLarge: not even `call.max_gas` is enough.
        RefusedByChain: the whole batch would revert for another reason.
    """
    found: list[tuple[tuple[bool, ...], int]] = []
    priced: list[Fees] = []

    async def simulate(first_gas: int) -> None:
        found.append(await _simulate(execution, sender, router, call.data, first_gas, call.max_gas))

    async def price(execution: ExecutionRpc) -> None:
        priced.append(await current_fees(execution))

    await all_of([(simulate, call.gas), (price, execution)])
    ((succeeded, enough_gas),), (fees,) = found, priced
    if len(succeeded) != call.messages:
        raise BadAnswer("relayBatch", "returned", f"is not {call.messages} verdicts", got=len(succeeded))
    return PreparedTransaction(
        chain_id=chain_id,
        sender=sender,
        to=to_checksum_address(router),
        data=call.data,
        value_wei=0,
        gas=enough_gas,
        max_fee_per_gas_wei=fees.max_fee_per_gas_wei,
        max_priority_fee_per_gas_wei=fees.max_priority_fee_per_gas_wei,
        gas_price_wei=fees.gas_price_wei,
        expected=succeeded,
    )


async def _simulate(
    execution: ExecutionRpc, sender: str, router: bytes, data: bytes, gas: int, max_gas: int
) -> tuple[tuple[bool, ...], int]:
    """(whether each message succeeds, gas limit of the transaction that was enough)."""
    intrinsic = intrinsic_gas(data)
    gas = min(gas, max_gas - intrinsic)
    while True:
        try:
            returned = await execution.call(router, data, "latest", sender, gas)
            break
        except RefusedByChain as error:
            if error.name not in _TOO_LITTLE_GAS:
                raise
            if gas + intrinsic >= max_gas:
                raise BatchTooLarge("gas", max_gas + 1, max_gas) from error
            gas = min(gas + gas // 2, max_gas - intrinsic)
    (succeeded,) = RELAY_BATCH.decode(returned)
    return tuple(succeeded), gas + intrinsic


async def account_state(execution: ExecutionRpc, address: str) -> AccountState:
    """Nonces and balance on the newest state of the endpoints. The pending nonce is never below the latest.

    Args:
        address: as text.

    Raises:
        EndpointUnavailable, RpcRefused: no endpoint answers.
    """
    latest = await execution.nonce(address)
    pending = await execution.nonce(address, "pending")
    return AccountState(address, latest, max(latest, pending), await execution.balance_wei(address))


_UNDERPRICED_WORDS = ("underpriced", "gas price too low", "fee too low", "less than block base fee", "below base fee")
_NONCE_HIGH_WORDS = ("nonce too high", "nonce gap", "nonce_too_high", "too distant", "future nonce")


async def broadcast(execution: ExecutionRpc, signed: SignedTransaction) -> None:
    """Send, and on a refusal find out why from the chain's state; the pool's words decide only what state cannot.

    Raises:
        AlreadyKnown, NonceTooLow, NonceTooHigh, InsufficientFunds, Underpriced: what was found out.
        BroadcastRefused: another reason, in the pool's words.
        EndpointUnavailable: no endpoint answered; the transaction may be in a pool all the same.
    """
    try:
        await execution.send_raw(signed.raw, signed.hash)
    except RpcRefused as refusal:
        raise await _broadcast_error(execution, signed, refusal) from refusal


async def _broadcast_error(execution: ExecutionRpc, signed: SignedTransaction, refusal: RpcRefused) -> BroadcastRefused:
    """The account's state is read before the transaction is looked for: mined between the two, it is found. A look that misses
    it would have its messages signed once more, and paid for twice (attack list G4).
    """
    kind: Callable[[bytes, str], BroadcastRefused] = BroadcastRefused
    words = refusal.message.lower()
    prepared = signed.prepared
    state = await account_state(execution, prepared.sender)
    if await execution.known_anywhere(signed.hash):
        kind = AlreadyKnown
    elif state.latest_nonce > signed.nonce:
        kind = NonceTooLow
    elif state.balance_wei < prepared.fee_cap_wei + prepared.value_wei:
        kind = InsufficientFunds
    elif any(text in words for text in _NONCE_HIGH_WORDS):
        kind = NonceTooHigh
    elif any(text in words for text in _UNDERPRICED_WORDS):
        kind = Underpriced
    return kind(signed.hash, refusal.message)


def check_receipt_block(receipt: Receipt, block_hash: bytes) -> None:
    """The receipt is of the final block of its height, whose hash (32 bytes) is given.

    Raises:
        BadAnswer: it is of another block, which was undone or never was.
    """
    if receipt.block_hash != block_hash:
        raise BadAnswer(
            "eth_getTransactionReceipt", "blockHash", "is not the final block of its height", receipt.block_hash
        )


async def outcome_of(
    execution: ExecutionRpc, router: bytes, receipt: Receipt, block_hash: bytes, block_time_ns: int
) -> TransactionOutcome:
    """What a receipt says of a transaction, with the reason of a revert and of each call that failed.

    Args:
        router: 20 bytes; logs of other contracts are passed over.
        block_hash, block_time_ns: of the final block at the receipt's height.

    Raises:
        BadAnswer: the receipt is of another block, or one of its logs is malformed.
    """
    check_receipt_block(receipt, block_hash)
    failures = _failures(execution, receipt, router)
    return TransactionOutcome(
        transaction_hash=receipt.transaction_hash,
        height=receipt.height,
        block_hash=receipt.block_hash,
        block_time_ns=block_time_ns,
        gas_used=receipt.gas_used,
        fee_wei=receipt.gas_used * await _price_paid_wei(execution, receipt),
        reverted=None if receipt.status else await why_reverted(execution, receipt),
        failures=failures,
        noops=await _noops(execution, receipt, router, [failure.index for failure in failures]),
    )


async def _noops(execution: ExecutionRpc, receipt: Receipt, router: bytes, failed: Sequence[int]) -> tuple[int, ...]:
    """Asked only where something was done before; a node that does not tell the call holds nothing up, as with the
    price.
    """
    logs = [log for log in receipt.logs if log.address == router]
    if all(log.topics[:1] != (NOOP_TOPIC,) for log in logs):
        return ()
    try:
        call = await execution.mined_call(receipt.transaction_hash)
    except AdapterError:
        return ()
    return () if call is None else noops(call.data, failed, logs)


async def _price_paid_wei(execution: ExecutionRpc, receipt: Receipt) -> int:
    """Of a unit of gas: the receipt's word, or before London what the transaction offered. It is for the books alone,
    so a node that tells neither makes it 0 and holds nothing up.
    """
    if receipt.effective_gas_price_wei is not None:
        return receipt.effective_gas_price_wei
    try:
        call = await execution.mined_call(receipt.transaction_hash)
    except AdapterError:
        return 0
    return 0 if call is None else call.gas_price_wei or 0


def _failures(execution: ExecutionRpc, receipt: Receipt, router: bytes) -> tuple[MessageFailure, ...]:
    failures = []
    for log in receipt.logs:
        if log.address != router or log.topics[:1] != (BATCH_CALL_FAILED_TOPIC,):
            continue
        try:
            if len(log.topics) != 2:
                raise ValueError("no index")
            (data,) = decode_canonical(["bytes"], log.data, "log.data", MAX_LOG_DATA_BYTES)
        except (MalformedInput, ValueError) as error:
            raise BadAnswer("eth_getTransactionReceipt", "logs", "holds a malformed BatchCallFailed") from error
        index = int.from_bytes(log.topics[1], "big")
        failures.append(MessageFailure(index, execution.reverts.read(data).reason, data))
    return tuple(failures)


async def why_reverted(execution: ExecutionRpc, receipt: Receipt) -> str:
    """Replay the call on the state before its block: near enough for a reason, never used for a decision.

    A node that has pruned that state leaves the reason unknown: the outcome must not wait for it.
    """
    try:
        return await _replayed(execution, receipt)
    except AdapterError as error:
        return f"reverted; it cannot be replayed: {error}"


async def _replayed(execution: ExecutionRpc, receipt: Receipt) -> str:
    call: MinedCall | None = await execution.mined_call(receipt.transaction_hash)
    if call is None or call.to is None:
        return "reverted; the endpoint cannot replay it"
    if receipt.gas_used >= call.gas:
        return f"ran out of its {call.gas} gas"
    transaction = {"from": call.sender, "to": call.to, "data": hex_data(call.data), "gas": hex(call.gas)}
    try:
        await execution.call_transaction(transaction, receipt.height - 1)
    except RefusedByChain as refused:
        return refused.reason
    except RpcRefused as refused:
        return f"reverted; replay refused: {refused.message}"
    return "reverted; a replay on the state before its block succeeds"
