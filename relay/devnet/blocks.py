"""One QBFT block: what its header says, how it is sealed and how it is named."""

from dataclasses import replace
from hashlib import sha256

from light_clients.bft_evm import block_hash, encode_extra_data
from light_clients.bft_evm.predicates import DIFFICULTY, MIX_HASH
from light_clients.evm_header import decode_header
from relay.devnet.settings import Genesis
from relay.devnet.validators import ValidatorSet
from relay.evm.blocks import EMPTY_LIST_ROOT, BlockBody, EvmBlock, EvmHeader, block_body
from relay.evm.execution import BlockContext

EMPTY_REQUESTS_HASH = sha256(b"").digest()
BASE_FEE_WEI = 0
"""Consortium chains run without a base fee (Besu's `zeroBaseFee`)."""
EMPTY_BODY = block_body(())


def sealed_block(
    genesis: Genesis,
    validators: ValidatorSet,
    context: BlockContext,
    parent_hash: bytes,
    state_root: bytes,
    body: BlockBody,
) -> EvmBlock:
    """The block that a quorum of `validators` commits to in round 0. Block 0 lists them and carries no seals."""
    extra = validators.unsealed()
    evm_header = _unsealed_header(genesis, context, parent_hash, state_root, body)
    evm_header = replace(evm_header, extra_data=encode_extra_data(extra))
    # The light client's own header type is what gets sealed and hashed, so that both sides agree byte for byte.
    header = decode_header(evm_header.encode())
    if context.number:
        header, extra = validators.seal(header, extra)
    return EvmBlock(block_hash(header, extra), replace(evm_header, extra_data=header.extra_data), body.transactions)


def _unsealed_header(
    genesis: Genesis, context: BlockContext, parent_hash: bytes, state_root: bytes, body: BlockBody
) -> EvmHeader:
    header = EvmHeader(
        parent_hash=parent_hash,
        coinbase=context.coinbase,
        state_root=state_root,
        transactions_root=body.transactions_root,
        receipts_root=body.receipts_root,
        logs_bloom=body.logs_bloom,
        number=context.number,
        gas_limit=context.gas_limit,
        gas_used=body.gas_used,
        timestamp_s=context.timestamp_s,
        prev_randao=MIX_HASH,
        difficulty=DIFFICULTY,
        base_fee_wei=BASE_FEE_WEI,
    )
    if genesis.fork == "paris":
        return header
    return replace(
        header,
        withdrawals_root=EMPTY_LIST_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=bytes(32),
        requests_hash=EMPTY_REQUESTS_HASH,
    )
