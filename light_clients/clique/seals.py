"""Extra data of Clique headers, the hash that is signed, and the signer (EIP-225).

    vanity (32 bytes) ‖ signers (20 bytes each, checkpoints alone) ‖ seal (65 bytes r ‖ s ‖ v)

The seal is over the header without it; the block hash is over the whole header.
"""

from dataclasses import replace

from hutong.light_clients.clique.types import ADDRESS_BYTES, MAX_SIGNERS, SealedBlock
from hutong.light_clients.crypto import keccak256, recover_eth_address
from hutong.light_clients.evm_header import ExecutionHeader, encode_header
from hutong.light_clients.interface import MalformedInput

VANITY_BYTES = 32
SEAL_BYTES = 65
MAX_EXTRA_DATA_BYTES = VANITY_BYTES + MAX_SIGNERS * ADDRESS_BYTES + SEAL_BYTES
_FIELD = "header.extra_data"


def sealed_block(execution: ExecutionHeader) -> SealedBlock:
    """A header with its extra data taken apart and its two hashes.

    Raises:
        MalformedInput: extra data is too short, too long, or holds a part of an address.
    """
    extra = execution.extra_data
    if len(extra) > MAX_EXTRA_DATA_BYTES:
        raise MalformedInput(_FIELD, f"more than {MAX_EXTRA_DATA_BYTES} bytes", got=len(extra))
    listed = len(extra) - VANITY_BYTES - SEAL_BYTES
    if listed < 0 or listed % ADDRESS_BYTES:
        raise MalformedInput(_FIELD, "is not vanity, whole addresses and a seal", got=len(extra))
    signers = tuple(
        extra[start : start + ADDRESS_BYTES] for start in range(VANITY_BYTES, VANITY_BYTES + listed, ADDRESS_BYTES)
    )
    return SealedBlock(
        execution,
        keccak256(encode_header(execution)),
        keccak256(encode_header(replace(execution, extra_data=extra[:-SEAL_BYTES]))),
        signers,
        extra[-SEAL_BYTES:],
    )


def recover_signer(block: SealedBlock) -> bytes | None:
    """Who sealed the block; None where the seal is not a signature.

    Nodes accept both forms of s, and the seal is part of the block hash: so must we, or one twin in the chain would
    stop the client without end. Nothing counts seals: signers are counted by address.
    """
    return recover_eth_address(block.seal_hash, block.seal, allow_high_s=True)
