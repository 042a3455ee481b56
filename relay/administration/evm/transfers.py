"""Tokens of an EVM chain: sent by its Transfer, held by accounts, and paid out of what waits for its owner."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from eth_utils.address import to_checksum_address

from hutong.adapters.evm import EvmChain
from hutong.adapters.evm.administration import transfer as transfers
from hutong.adapters.evm.administration.limit_windows import told_with_window
from hutong.adapters.evm.administration.transfer import HeldAmount, SentTransfer
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain
from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.evm.access import open_evm
from hutong.relay.administration.holding import Holding
from hutong.relay.config import EvmChainConfig
from hutong.relay.keys import Signer

Token: TypeAlias = bytes | str
"""A contract's address, 20 bytes, or a voucher's trace."""
Before: TypeAlias = Callable[[EvmChain, str], Awaitable[None]]
"""Given the chain and the client that is sent over, before anything is; raises what keeps the tokens from it."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet whose amount waits: one that came over `client`, or with `refund` one that went over it."""

    refund: bool
    client: str
    sequence: int


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """A send over `client`; empty: over the chain's client of the hub. `token` is an address or a trace, `amount` in its
    smallest unit."""

    client: str
    token: str
    amount: int
    receiver: str
    next_client: str | None
    memo: str
    timeout_s: int


async def send(
    evm: EvmChainConfig, signer: Signer, transfer: bytes, order: TransferOrder, before: Before, random: Random
) -> SentTransfer:
    """Send tokens, after allowing the Transfer to take them where that is needed.

    Args:
        transfer: the chain's Transfer contract, 20 bytes.

    Raises:
        Unusable: the token is neither an address nor a trace.
        RefusedByChain: the chain refuses it, or the Transfer has no client of a hub and none is named.
        AdapterError: the chain does not answer.
        and what `before` raises.
    """
    async with open_evm(evm, random) as chain:
        execution = chain.execution
        client = order.client or await transfers.hub_client_of(execution, transfer)
        if not client:
            raise RefusedByChain("NotHubClient", "this Transfer has no hub client; name one with --client")
        await before(chain, client)
        sent = transfers.Order(
            client,
            await address_of_token(execution, transfer, parse_token(order.token)),
            order.amount,
            order.receiver,
            int(time.time()) + order.timeout_s,
            order.next_client,
            order.memo,
        )
        try:
            return await transfers.send_tokens(Transactor(execution, evm.chain_id, signer), transfer, sent)
        except RefusedByChain as refusal:
            raise await told_with_window(execution, transfer, refusal) from None


async def held_by(evm: EvmChainConfig, transfer: bytes | None, token: Token, holder: bytes, random: Random) -> Holding:
    """What an account holds of a token.

    Args:
        transfer: looks a voucher's trace up; may be None for an address.

    Raises:
        AdapterError: the chain does not answer, or has no such token.
    """
    async with open_evm(evm, random) as chain:
        address = await address_of_token(chain.execution, transfer or b"", token)
        trace = token if isinstance(token, str) else None
        amount = await transfers.balance_of(chain.execution, address, holder)
        return Holding(amount, to_checksum_address(address), trace)


async def pay(
    evm: EvmChainConfig, signer: Signer, transfer: bytes, packet: Packet, to: bytes | None, random: Random
) -> HeldAmount:
    """Have what waits of a packet paid.

    Args:
        to: for None its owner gets it; else this account, 20 bytes, and the signer is the owner.

    Raises:
        RefusedByChain: nothing waits, its time has not come, or the chain refuses it.
        AdapterError: the chain does not answer.
    """
    async with open_evm(evm, random) as chain:
        execution = chain.execution
        held = await transfers.held_amount(execution, transfer, packet.refund, packet.client, packet.sequence)
        if held is None:
            raise await _nothing_held(execution, transfer, packet, claiming=to is not None)
        now_s = (await execution.latest_block()).time_s
        if held.releasable_at_s > now_s:
            wait_s = held.releasable_at_s - now_s
            raise RefusedByChain("StillHeld", f"{held.amount} of {held.token} wait {wait_s} s more")
        transactor = Transactor(execution, evm.chain_id, signer)
        if to is None:
            await transfers.release(transactor, transfer, held.id)
        else:
            await transfers.claim(transactor, transfer, held.id, to)
        return held


async def _nothing_held(execution: ExecutionRpc, transfer: bytes, packet: Packet, *, claiming: bool) -> RefusedByChain:
    """Says which option was meant where the other kind of amount is held under the packet's name."""
    name = f"{packet.client}/{packet.sequence}"
    other = await transfers.held_amount(execution, transfer, not packet.refund, packet.client, packet.sequence)
    if other is None:
        return RefusedByChain("NothingHeld", f"nothing is held of packet {name}")
    if not packet.refund:
        return RefusedByChain("NothingHeld", f"no receive is held of packet {name}, but a refund is: give --refund")
    option = "give --receive" if claiming else "leave out --refund"
    return RefusedByChain("NothingHeld", f"no refund is held of packet {name}, but a receive is: {option}")


def parse_token(text: str) -> Token:
    """A token as a person names it.

    Raises:
        Unusable: it is neither an address nor a trace.
    """
    return text if "/" in text else address_of(text, "--token")


async def address_of_token(execution: ExecutionRpc, transfer: bytes, token: Token) -> bytes:
    """The contract's address, 20 bytes; of a trace, that of its voucher at `transfer`.

    Raises:
        AdapterError: the chain does not answer, or has no such voucher.
    """
    return token if isinstance(token, bytes) else await transfers.voucher_of(execution, transfer, token)
