"""The id of a feed and what its signers sign: EIP-712 without a chain, so that reports are good on every chain."""

from functools import lru_cache

from hutong.light_clients.crypto import keccak256, recover_eth_address, secp256k1
from hutong.light_clients.feeds.types import SIGNATURE_BYTES, FeedDescription, check_round_time, check_value
from hutong.light_clients.ibc.abi import encode_abi

VERSION = "hutong-feed-1"
DOMAIN_SEPARATOR = keccak256(
    keccak256(b"EIP712Domain(string name,string version)") + keccak256(b"hutong feed") + keccak256(b"1")
)
REPORT_TYPE_HASH = keccak256(b"Report(bytes32 feed,uint64 time,int128 value)")
_ID_TYPES = ("string", "address[]", "uint8", "uint8", "uint8", "uint32", "string")
_V_OFFSET = 27


@lru_cache(maxsize=256)
def feed_id(feed: FeedDescription) -> bytes:
    """32 bytes that name the feed on every chain."""
    signers = [f"0x{signer.hex()}" for signer in feed.signers]
    fields = (VERSION, signers, feed.threshold, int(feed.rule), feed.decimals, feed.heartbeat_s, feed.label)
    return keccak256(encode_abi(_ID_TYPES, fields))


def report_struct(feed: bytes, time_s: int, value: int) -> bytes:
    """EIP-712 `hashStruct` of a report, 32 bytes; with DOMAIN_SEPARATOR it is what a signer signs.

    Args:
        feed: id of the feed, 32 bytes.
        time_s: of the round, Unix seconds.
        value: in the feed's units.

    Raises:
        MalformedInput: time or value out of bounds.
    """
    check_round_time(time_s)
    check_value(value)
    return keccak256(REPORT_TYPE_HASH + feed + time_s.to_bytes(32, "big") + value.to_bytes(32, "big", signed=True))


def report_digest(feed: bytes, time_s: int, value: int) -> bytes:
    """The 32 bytes that a signer signs.

    Args:
        feed, time_s, value: as `report_struct`.

    Raises:
        MalformedInput: time or value out of bounds.
    """
    return keccak256(b"\x19\x01" + DOMAIN_SEPARATOR + report_struct(feed, time_s, value))


def sign_report(private_key: bytes, feed: bytes, time_s: int, value: int) -> bytes:
    """65 bytes r ‖ s ‖ v over a report, low s, v 27 or 28; by a signer, never by a verifier.

    Raises:
        MalformedInput: time or value out of bounds.
        ValueError: a secret that is not 32 bytes in range.
    """
    signature = secp256k1.sign_recoverable(private_key, report_digest(feed, time_s, value))
    return signature[:-1] + bytes([signature[-1] + _V_OFFSET])


def recover_signer(digest: bytes, signature: bytes) -> bytes | None:
    """The signer's address; None where the length is not 65, v not 27 or 28, s high, or no key fits."""
    if len(signature) != SIGNATURE_BYTES or signature[-1] not in (_V_OFFSET, _V_OFFSET + 1):
        return None
    return recover_eth_address(digest, signature[:-1] + bytes([signature[-1] - _V_OFFSET]))
