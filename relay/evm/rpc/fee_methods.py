"""`eth_gasPrice`, `eth_maxPriorityFeePerGas` and `eth_feeHistory`."""

from collections.abc import Mapping
from itertools import chain, pairwise
from threading import Lock
from typing import Any

from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.chain.blocks import EvmHeader
from hutong.relay.evm.chain.chain import EvmChain
from hutong.relay.evm.rpc.block_lookup import BlockLookup
from hutong.relay.evm.rpc.json_errors import invalid_params
from hutong.relay.evm.rpc.json_params import Method, Params
from hutong.relay.evm.vm.base_fee import ELASTICITY

MAX_FEE_HISTORY_BLOCKS = 1_024
MAX_REWARD_PERCENTILES = 100
MAX_REWARD_TRANSACTIONS = 100_000
"""Receipts read for one answer; beyond them the history ends early, as the method allows."""
TIP_BLOCKS = 20
"""The newest blocks that a suggested tip is taken from."""


def _tips(blocks: BlockStore, header: EvmHeader) -> list[tuple[int, int]]:
    """Tip and gas used of each transaction of a block."""
    base_fee_wei = header.base_fee_wei or 0
    receipts = blocks.receipts(header.number) or ()
    return [(receipt.effective_gas_price_wei - base_fee_wei, receipt.gas_used) for receipt in receipts]


class _RecentTips:
    """What the newest blocks were tipped. Blocks are final: each is read once, not at every question."""

    def __init__(self, blocks: BlockStore) -> None:
        self._blocks = blocks
        self._tips_wei: dict[int, list[int]] = {}
        self._reading = Lock()

    def median_wei(self, newest: int) -> int:
        """Of all tips in the blocks up to `newest` that were over their target; 0 where there are none."""
        first = max(self._blocks.first_number(), newest - TIP_BLOCKS + 1)
        with self._reading:
            known = self._tips_wei
            self._tips_wei = {
                number: known[number] if number in known else self._read(number) for number in range(first, newest + 1)
            }
            tips_wei = sorted(chain.from_iterable(self._tips_wei.values()))
        return tips_wei[len(tips_wei) // 2] if tips_wei else 0

    def _read(self, number: int) -> list[int]:
        stored = self._blocks.header(number)
        if stored is None or stored[1].gas_used <= stored[1].gas_limit // ELASTICITY:
            return []
        return [tip_wei for tip_wei, _ in _tips(self._blocks, stored[1])]


class FeeMethods:
    def __init__(self, chain: EvmChain, lookup: BlockLookup) -> None:
        self._chain = chain
        self._lookup = lookup
        self._recent = _RecentTips(chain.blocks)

    def methods(self) -> Mapping[str, Method]:
        """The three methods of fees, by their JSON-RPC names."""
        return {
            "eth_gasPrice": self._gas_price,
            "eth_maxPriorityFeePerGas": self._priority_fee,
            "eth_feeHistory": self._fee_history,
        }

    async def _gas_price(self, params: Params) -> str:
        """What a legacy transaction offers to be in the next block."""
        params.at_most(0)
        return hex(await self._lookup.read(lambda: self._chain.next_base_fee_wei + self._suggested_tip_wei()))

    async def _priority_fee(self, params: Params) -> str:
        params.at_most(0)
        return hex(await self._lookup.read(self._suggested_tip_wei))

    def _suggested_tip_wei(self) -> int:
        """The median tip in the newest blocks that were over their target; a block with room asks for none."""
        return self._recent.median_wei(self._lookup.head().number)

    async def _fee_history(self, params: Params) -> dict[str, Any]:
        params.at_most(3)
        count = params.raw(0)
        # web3.js sends a number, the specification a quantity.
        wanted = count if type(count) is int else params.quantity(0)
        if not 0 <= wanted <= MAX_FEE_HISTORY_BLOCKS:
            raise invalid_params(f"argument 0 is not between 0 and {MAX_FEE_HISTORY_BLOCKS}")
        percentiles = _percentiles(params)
        selector = params.block(1)

        def history() -> dict[str, Any]:
            newest = self._lookup.existing(selector).number
            headers: list[EvmHeader] = []
            for number in range(max(self._chain.blocks.first_number(), newest - wanted + 1), newest + 1):
                stored = self._chain.blocks.header(number)
                if stored is not None:
                    headers.append(stored[1])
            rewards: list[list[str]] = []
            if percentiles:
                headers, rewards = self._with_rewards(headers, percentiles)
            last = headers[-1].number if headers else newest
            fees_wei = [header.base_fee_wei or 0 for header in headers] + [self._base_fee_after_wei(last)]
            result: dict[str, Any] = {
                "oldestBlock": hex(headers[0].number if headers else newest),
                "baseFeePerGas": [hex(fee_wei) for fee_wei in fees_wei],
                "gasUsedRatio": [header.gas_used / header.gas_limit if header.gas_limit else 0.0 for header in headers],
            }
            if percentiles:
                result["reward"] = rewards
            return result

        return await self._lookup.read(history)

    def _base_fee_after_wei(self, number: int) -> int:
        following = self._chain.blocks.header(number + 1)
        return self._chain.next_base_fee_wei if following is None else following[1].base_fee_wei or 0

    def _with_rewards(
        self, headers: list[EvmHeader], percentiles: list[float]
    ) -> tuple[list[EvmHeader], list[list[str]]]:
        rewards: list[list[str]] = []
        read = 0
        for header in headers:
            tips = _tips(self._chain.blocks, header) if header.gas_used else []
            read += len(tips)
            if rewards and read > MAX_REWARD_TRANSACTIONS:
                break
            rewards.append([hex(tip_wei) for tip_wei in rewards_at(tips, percentiles)])
        return headers[: len(rewards)], rewards


def rewards_at(tips: list[tuple[int, int]], percentiles: list[float]) -> list[int]:
    """The tip in wei at each percentile of a block's gas; zeros for a block without transactions (`eth_feeHistory`).

    Args:
        tips: pairs of tip (wei for each unit of gas) and gas used, in any order.
        percentiles: ascending, each from 0 to 100; neither is checked here.
    """
    if not tips:
        return [0] * len(percentiles)
    ordered = sorted(tips)
    total = sum(gas for _, gas in ordered)
    found: list[int] = []
    index, passed = 0, ordered[0][1]
    for percentile in percentiles:
        while passed < total * percentile / 100 and index < len(ordered) - 1:
            index += 1
            passed += ordered[index][1]
        found.append(ordered[index][0])
    return found


def _percentiles(params: Params) -> list[float]:
    values = params.raw(2) if params.has(2) else []
    if not isinstance(values, list) or len(values) > MAX_REWARD_PERCENTILES:
        raise invalid_params(f"argument 2 is not a list of at most {MAX_REWARD_PERCENTILES} percentiles")
    if not all(type(value) in (int, float) and 0 <= value <= 100 for value in values):
        raise invalid_params("argument 2: a percentile is a number from 0 to 100")
    if any(later < earlier for earlier, later in pairwise(values)):
        raise invalid_params("argument 2: percentiles ascend")
    return values
