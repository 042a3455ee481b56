"""What an EVM chain's Transfer keeps for owners, listed from the chain."""

from random import Random

from hutong.adapters.evm.administration.held import HeldOfPacket, read_held
from hutong.relay.administration.evm.access import open_evm
from hutong.relay.config import EvmChainConfig


async def list_held(evm: EvmChainConfig, transfer: bytes, random: Random) -> tuple[HeldOfPacket, ...]:
    """Receives that wait and refunds that could not be paid, oldest first, from the chain's `start_height` on.

    Args:
        transfer: the chain's Transfer contract, 20 bytes.

    Raises:
        AdapterError: the chain does not answer, or no longer has the events.
    """
    async with open_evm(evm, random) as chain:
        newest = (await chain.execution.latest_block()).height
        return await read_held(chain.execution, transfer, range(evm.start_height, newest + 1))
