"""Hub blocks as Ethereum has them: one rule for each field of a header, and what the EVM is told of the block it runs in."""

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.chain.blocks import BlockBody, EvmBlock, EvmHeader, block_body
from hutong.relay.evm.vm.execution import BlockContext
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.machine.fees import NOBODY

EMPTY_BODY = block_body(())


class EthereumBlocks:
    """`stored` answers for the hashes of earlier blocks."""

    def __init__(self, genesis: Genesis, stored: BlockStore) -> None:
        self._stored = stored
        self._gas_limit = genesis.params.block_max_gas
        self._first_base_fee_wei = 0 if genesis.fees is None else genesis.fees.base_fee_wei
        self._coinbase = NOBODY if genesis.fees is None else genesis.fees.recipient

    def context(self, height: int, time_ns: int, block_hash: bytes, base_fee_wei: int = 0) -> BlockContext:
        """What the EVM is told of block `height`: `block_hash`, which is CometBFT's, is its PREVRANDAO.

        The time is in whole seconds. The coinbase is the recipient of fees, else the zero address.
        """

        def ancestor_hash(number: int) -> bytes:
            return self._stored.hash_of(number) or b""

        return BlockContext(
            number=height,
            timestamp_s=time_ns // NANOSECONDS_PER_SECOND,
            coinbase=self._coinbase,
            gas_limit=self._gas_limit,
            prev_randao=block_hash,
            block_hash=ancestor_hash,
            base_fee_wei=base_fee_wei,
        )

    def block(
        self,
        height: int,
        time_ns: int,
        block_hash: bytes,
        parent_hash: bytes,
        state_root: bytes,
        body: BlockBody = EMPTY_BODY,
        base_fee_wei: int | None = None,
    ) -> EvmBlock:
        """Hub block `height` as Ethereum has it; `block_hash` and `parent_hash` are CometBFT's.

        Block 0 has the digest of genesis for its hash, and a PREVRANDAO of zero. `base_fee_wei` None stands for that of
        genesis.
        """
        header = EvmHeader(
            parent_hash=parent_hash,
            coinbase=self._coinbase,
            state_root=state_root,
            transactions_root=body.transactions_root,
            receipts_root=body.receipts_root,
            logs_bloom=body.logs_bloom,
            number=height,
            gas_limit=self._gas_limit,
            gas_used=body.gas_used,
            timestamp_s=time_ns // NANOSECONDS_PER_SECOND,
            extra_data=time_ns.to_bytes(8, "big"),
            prev_randao=block_hash if height else bytes(32),
            base_fee_wei=self._first_base_fee_wei if base_fee_wei is None else base_fee_wei,
        )
        return EvmBlock(block_hash, header, body.transactions)
