"""Raw snappy blocks, as the consensus specifications' test vectors store SSZ (`*.ssz_snappy`)."""

from cramjam import DecompressionError, snappy

from hutong.light_clients.ethereum.ssz import MAX_SSZ_BYTES
from hutong.light_clients.interface import MalformedInput


def decompress(data: bytes, max_bytes: int = MAX_SSZ_BYTES) -> bytes:
    """The content, at most `max_bytes`: the length that the block claims is judged before anything is unpacked.

    Raises:
        MalformedInput: too long, packed or unpacked, or no raw snappy block.
    """
    if len(data) > max_bytes:
        raise MalformedInput("snappy", f"more than {max_bytes} bytes", got=len(data))
    try:
        size = snappy.decompress_raw_len(data)
        if size > max_bytes:
            raise MalformedInput("snappy", f"claims more than {max_bytes} bytes", got=size)
        return bytes(snappy.decompress_raw(data))
    except DecompressionError:
        raise MalformedInput("snappy", "is no raw snappy block") from None


def compress(data: bytes) -> bytes:
    """Inverse of `decompress`; one of many encodings."""
    return bytes(snappy.compress_raw(data))
