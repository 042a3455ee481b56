"""Which signed transactions are passed on: those of the bridge, so that this API is no open relay to a chain's pool."""

from contextlib import suppress

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.cosmos.chain import CosmosChain
from hutong.adapters.cosmos.transactions.addresses import account_address
from hutong.adapters.cosmos.transactions.messages import TRANSFER_URL
from hutong.adapters.cosmos.transactions.transactions import decode_raw, transaction_hash
from hutong.adapters.evm.administration.transfer import APPROVE
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.interface import (
    AlreadyKnown,
    BadAnswer,
    BroadcastRefused,
    ChainAdapter,
    PreparedTransaction,
    SignedTransaction,
)
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import MalformedInput
from hutong.relay.api.reading.chain_views import router_app
from hutong.relay.api.reading.public_text import public_text
from hutong.relay.evm.errors import InvalidTransaction
from hutong.relay.evm.vm.transaction import SignedTransaction as EvmTransaction
from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.web.problems import ApiProblem, Code, refused_field


async def pass_on(adapter: ChainAdapter, raw: bytes) -> bytes:
    """Hand a signed transaction to the chain's pool and return its hash; one that the pool has already is as good.

    Raises:
        ApiProblem: it is not a transaction of the bridge, or the pool refuses it.
        AdapterError: the chain does not answer; then a pool may have it.
    """
    if isinstance(adapter, RouterChain):
        signed = await _checked_evm(adapter, raw)
    elif isinstance(adapter, CosmosChain):
        signed = _checked_cosmos(adapter, raw)
    else:
        raise ApiProblem(Code.NOT_SUPPORTED, f"transactions of chains of kind {adapter.kind}")
    try:
        with suppress(AlreadyKnown):
            await adapter.broadcast(signed)
    except BroadcastRefused as refusal:
        raise ApiProblem(Code.REFUSED_BY_CHAIN, public_text(f"{adapter.name}: {refusal}")) from None
    return signed.hash


async def _checked_evm(adapter: RouterChain, raw: bytes) -> SignedTransaction:
    chain_id = await adapter.eth_chain_id()
    try:
        transaction = decode_transaction(raw, chain_id)
    except InvalidTransaction as error:
        raise refused_field("raw", f"is not a transaction that {adapter.name} takes: {error}") from None
    await _is_of_the_bridge(adapter, transaction)
    return SignedTransaction(
        transaction.hash,
        raw,
        transaction.nonce,
        PreparedTransaction(
            chain_id=chain_id,
            sender=to_checksum_address(transaction.sender),
            to=to_checksum_address(transaction.to or b""),
            data=transaction.data,
            value_wei=0,
            gas=transaction.gas_limit,
            max_fee_per_gas_wei=transaction.max_fee_per_gas_wei,
            max_priority_fee_per_gas_wei=transaction.max_priority_fee_per_gas_wei,
            gas_price_wei=None,
        ),
    )


async def _is_of_the_bridge(adapter: RouterChain, transaction: EvmTransaction) -> None:
    if transaction.value_wei:
        raise refused_field("raw", "sends native coins; this API passes on none (wrap them)")
    found = {port: await router_app(adapter, port) for port in (TRANSFER_PORT, GMP_PORT)}
    applications = {bytes(to_canonical_address(address)) for address in found.values() if address is not None}
    if transaction.to is not None and transaction.to in {*applications, adapter.settings.router_address}:
        return
    transfer = found[TRANSFER_PORT]
    if transfer is not None and transaction.to is not None and _approves(transaction.data, transfer):
        return
    raise refused_field(
        "raw",
        f"calls neither Transfer, Mailbox nor Router of {adapter.name}, nor approves its Transfer;"
        " send it through a node of your own",
    )


def _approves(data: bytes, transfer: str) -> bool:
    """An ERC-20 `approve` for that spender, and nothing after it."""
    spender = bytes(12) + to_canonical_address(transfer)
    return len(data) == 4 + 64 and data[:4] == APPROVE.selector and data[4:36] == spender


def _checked_cosmos(adapter: CosmosChain, raw: bytes) -> SignedTransaction:
    try:
        content = decode_raw(raw)
    except MalformedInput as error:
        raise refused_field("raw", f"is not a transaction that {adapter.name} takes: {error}") from None
    others = [message.type_url for message in content.messages if message.type_url != TRANSFER_URL]
    if others or not content.messages:
        raise refused_field("raw", "holds something else than ICS-20 transfers; send it through a node of your own")
    try:
        sender = account_address(adapter.settings.bech32_prefix, content.public_key)
    except (MalformedInput, ValueError, BadAnswer):
        raise refused_field("raw", "is signed with something else than a secp256k1 key") from None
    denom = adapter.settings.gas_price.lstrip("0123456789.")
    fee = sum(coin.amount for coin in content.fee if coin.denom == denom)
    prepared = PreparedTransaction(
        chain_id=adapter.chain_id,
        sender=sender,
        to="",
        data=b"",
        value_wei=0,
        gas=content.gas,
        max_fee_per_gas_wei=0,
        max_priority_fee_per_gas_wei=0,
        gas_price_wei=None,
        fee_wei=fee,
    )
    return SignedTransaction(transaction_hash(raw), raw, content.sequence, prepared)
