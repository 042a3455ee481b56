"""Receivers of messages: a Mailbox refuses one without a contract, which is known before the message is paid for."""

import trio

from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.interface import AdapterError
from hutong.relay.api.reading.backend import Chains
from hutong.relay.api.sending.addresses import evm_address

CODE_LIMIT_S = 2.0
"""For the destination's answer; without one the message is prepared all the same."""


async def warnings_about(chains: Chains, destination: str, receiver: str) -> tuple[str, ...]:
    """What the sender of a message should know of its receiver, in sentences; empty where nothing speaks against it.

    A contract may still come to the address before the message does, so that this refuses nothing.

    Args:
        destination: a configured chain. Only EVM chains are asked.
        receiver: an address there, by `check_receiver`.
    """
    adapter = chains.adapter(destination, "destination")
    if isinstance(adapter, RouterChain) and adapter.kind == "evm":
        code = await _code(adapter, evm_address(receiver, "receiver"))
    else:
        code = None
    if code != b"":
        return ()
    said = f"no contract is at the receiver {receiver} on {destination} now"
    return (f"{said}: its Mailbox will refuse the message unless one is deployed there before it arrives",)


async def _code(adapter: RouterChain, account: bytes) -> bytes | None:
    """None where the chain does not say it in time."""
    with trio.move_on_after(CODE_LIMIT_S):
        try:
            return await adapter.execution.code(account)
        except AdapterError:
            return None
    return None
