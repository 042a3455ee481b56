"""Signers of feeds with keys of their own, and what they report."""

from hutong.light_clients.crypto import eth_address, keccak256, secp256k1
from hutong.light_clients.feeds import FeedDescription, FeedRule, Report, feed_id, sign_report

TIME_S = 1_700_000_000


def address_of(key):
    """Of a secret, 20 bytes."""
    return eth_address(secp256k1.public_key_of(key))


KEYS = tuple(sorted((keccak256(b"signer" + bytes([number])) for number in range(64)), key=address_of))
"""In the order of their addresses."""
ADDRESSES = tuple(map(address_of, KEYS))
STRANGER = keccak256(b"a stranger")


def feed_of(signers=7, threshold=None, **fields):
    """A feed of the first signers; by default more than half of them report."""
    chosen = {"rule": FeedRule.MEDIAN, "decimals": 2, "heartbeat_s": 60, "label": "toll-ring-2"} | fields
    return FeedDescription(ADDRESSES[:signers], threshold or signers // 2 + 1, **chosen)


def reported(feed, values, *, time_s=TIME_S, keys=KEYS):
    """Reports of one round, one for each value, by the first keys; with a dict, by the keys at these places."""
    chosen = values.items() if isinstance(values, dict) else enumerate(values)
    return tuple(Report(value, sign_report(keys[place], feed_id(feed), time_s, value)) for place, value in chosen)


def high_s(signature):
    """The other signature of the same signer over the same bytes, which only malleability makes."""
    s = secp256k1.ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
