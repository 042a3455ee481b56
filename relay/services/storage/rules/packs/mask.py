"""The mask of a shard: a keystream laid over it after coding, whose key no operator holds (docs/spec/storage-pack.md).

Without it an operator that dropped its shard answers a probe out of ten others' answers, for a code is linear. The mask hides
nothing from those who have the key, and says nothing of whether bytes are right: that is the commitment's, over masked bytes.
"""

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.rules.packs.shape import MAX_PACK_SHARDS

KEY_BYTES: Final = 32
PACK_INFO: Final = b"hutong/storage/pack mask/1"
SHARD_INFO: Final = b"hutong/storage/shard mask/1"
_FIRST_COUNTER: Final = bytes(16)
"""Each key masks one shard once, so that every shard may count from 0."""
_BLOCK_BYTES: Final = 16


def pack_mask_key(repair_root: bytes, pack: bytes) -> bytes:
    """What a repairer of this pack alone is given.

    Args:
        repair_root: 32 secret bytes of the tenant.
        pack: its name, 32 bytes.

    Raises:
        MalformedInput: one of another length.
    """
    _check("mask.repair_root", repair_root)
    _check("mask.pack", pack)
    return HKDF(SHA256(), KEY_BYTES, salt=pack, info=PACK_INFO).derive(repair_root)


def shard_mask_key(pack_key: bytes, shard: int) -> bytes:
    """The key of one shard's mask.

    Raises:
        MalformedInput: a key of another length, or a number that no pack has.
    """
    _check("mask.pack_key", pack_key)
    if not 0 <= shard < MAX_PACK_SHARDS:
        raise MalformedInput("mask.shard", f"0 to {MAX_PACK_SHARDS - 1}", got=shard)
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=SHARD_INFO + bytes([shard])).derive(pack_key)


def masked(shard_key: bytes, shard: bytes | bytearray | memoryview) -> bytes:
    """The shard under its mask; the same call takes the mask off again.

    Raises:
        MalformedInput: a key of another length.
    """
    _check("mask.shard_key", shard_key)
    return Cipher(AES(shard_key), CTR(_FIRST_COUNTER)).encryptor().update(shard)


class ShardMask:
    """The keystream of one shard, laid over run after run of it, from its first byte on."""

    def __init__(self, shard_key: bytes) -> None:
        """`shard_key`: see `shard_mask_key`.

        Raises:
            MalformedInput: a key of another length.
        """
        _check("mask.shard_key", shard_key)
        self._encryptor = Cipher(AES(shard_key), CTR(_FIRST_COUNTER)).encryptor()

    def lay_over(self, run: bytearray | memoryview) -> None:
        """Mask the next bytes of the shard where they lie."""
        self._encryptor.update_into(run, run)


def unmask_run(shard_key: bytes, offset: int, run: bytes | bytearray | memoryview) -> bytes:
    """Bytes of a masked shard without their mask.

    Args:
        offset: of the run in the shard, a multiple of 16.

    Raises:
        MalformedInput: a key of another length, or an offset within a block.
    """
    _check("mask.shard_key", shard_key)
    if offset % _BLOCK_BYTES:
        raise MalformedInput("mask.offset", f"a multiple of {_BLOCK_BYTES}", got=offset)
    counter = (offset // _BLOCK_BYTES).to_bytes(_BLOCK_BYTES, "big")
    return Cipher(AES(shard_key), CTR(counter)).decryptor().update(run)


def mask_in_place(shard_key: bytes, shard: bytearray | memoryview) -> None:
    """As `masked`, over the buffer itself.

    Raises:
        MalformedInput: a key of another length.
    """
    ShardMask(shard_key).lay_over(shard)


def _check(field: str, value: bytes) -> None:
    if len(value) != KEY_BYTES:
        raise MalformedInput(field, f"has {KEY_BYTES} bytes", got=len(value))
