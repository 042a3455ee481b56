"""ECDSA over secp256k1: signatures by eth-keys' own Python, scalars at their bounds, and what is refused.

Keys of the last four signatures were recovered from chosen numbers. The last one has x(R) above the group's order (SEC 1, 4.1.4:
x mod n is compared), which libraries that compare x itself refuse.
"""

from hutong.light_clients.crypto.engines.engine import KnownAnswer
from hutong.light_clients.crypto.secp256k1 import HALF_ORDER, ORDER

_SIGNED = (
    (
        "a digest",
        "0391f2ff89b9c84f718897fda9bb4f6b807a8b9ce7bdead45faee345b7f2926228",
        "d372a91452792772c1ba3b792b784565ada7810b7c325a6dfa1bd9e903d82ece",
        "09f51614b7cff17ca4952c24002e3408fa6e16f7cbee4eed753821c7ec8db8c03d8972fd91f167b08f704ad4c76c7173c24e36b7888f03c831e8c3b48acac34401",
    ),
    (
        "a digest of zeros",
        "03208f18bb88c8c50fc37e8d5bd839e55316e9e1d62e8b43e49bc2478e799b9ab8",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "d99cf7d754d4a56e8ca1cc6f125d210a0912249a202afc46fd1a9173a3b7513b277240732b95e793381e78c27ab37be36c035d361c8e59679461820673f7107e01",
    ),
    (
        "a digest above the order",
        "0279443b46eb599d38dbf7463feddb3df6bd47e8dc699699b39e2c7da012750b2c",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "62660bb909f97b1cf03b27d09769ac41ec0596aed2bb902fe25b1a07aaad9e92734f36180109e8eb06e5ca9469ce3da17e616034c8ce80511de8981dd886cd7801",
    ),
    (
        "the order as digest, secret -1",
        "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        "919026f3e239ea52cf530eb6d345dc2b56ef0928f1e9ad20d8f360284dc6504814395e7137e2204f15b69239010f3c34fbb3c858a29b0d106b1fa65bc004726300",
    ),
    (
        "secret 1",
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "a4a1853db918b5853ccaef5dc10a86248b7854f4005bf2735327ecc80361c404",
        "ebc1b2e4b539c4cc336074306cf77c9b55af465baee3d981e42691a8b4b9669c1f983c1371c20e8ef82c53e479986d113c134a886bfa29fc2a7058602f1cd00601",
    ),
    (
        "s = 1",
        "02034afbd045cd007ad76fc9841c551df0b006cf9d0b4d33c9f7a01f33490eddc2",
        "3f836b42b2e1750038058a60620de741ffbb0ebd8e88deabdcb798cef6f0797f",
        "09f51614b7cff17ca4952c24002e3408fa6e16f7cbee4eed753821c7ec8db8c0000000000000000000000000000000000000000000000000000000000000000100",
    ),
    (
        "s = half the order",
        "036cd1d656dfaf067e455253eceb656131376d94f864ea6b1f9a4b879b77e0fbc2",
        "3f836b42b2e1750038058a60620de741ffbb0ebd8e88deabdcb798cef6f0797f",
        "09f51614b7cff17ca4952c24002e3408fa6e16f7cbee4eed753821c7ec8db8c07fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a001",
    ),
    (
        "r = 1",
        "02b8ff2c09efc3f980036036d3006394d39b522b712c354a9189372913464ae781",
        "3f836b42b2e1750038058a60620de741ffbb0ebd8e88deabdcb798cef6f0797f",
        "0000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000303900",
    ),
    (
        "x of R above the order",
        "028c158fdc0381c0911a48165d012fbe5c6b7b13fa9b40ee5202efa3e382413aa0",
        "3f836b42b2e1750038058a60620de741ffbb0ebd8e88deabdcb798cef6f0797f",
        "0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000000000000000303902",
    ),
)
_WRAPPED = "x of R above the order"


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _verify_answers() -> tuple[KnownAnswer, ...]:
    signed = [
        (name, bytes.fromhex(key), bytes.fromhex(digest), bytes.fromhex(sig)) for name, key, digest, sig in _SIGNED
    ]
    found = [KnownAnswer(name, (key, digest, sig[:64]), True) for name, key, digest, sig in signed]
    _, key, digest, sig = signed[0]
    other_key, other_digest = signed[1][1:3]
    r, s, zero = sig[:32], sig[32:64], bytes(32)
    number = int.from_bytes(s, "big")
    refused = {
        "another digest": (key, other_digest, r + s),
        "another key": (other_key, digest, r + s),
        "the negative key": (bytes([key[0] ^ 1]) + key[1:], digest, r + s),
        "r = 0": (key, digest, zero + s),
        "s = 0": (key, digest, r + zero),
        "r = s = 0": (key, digest, zero + zero),
        "r = the order": (key, digest, _word(ORDER) + s),
        "s = the order": (key, digest, r + _word(ORDER)),
        "s and r of all ones": (key, digest, b"\xff" * 64),
        "high s": (key, digest, r + _word(ORDER - number)),
        "s one above half the order": (key, digest, r + _word(HALF_ORDER + 1)),
        "halves swapped": (key, digest, s + r),
        "x off the curve": (b"\x02" + _word(5), digest, r + s),
        "x above the field": (b"\x02" + b"\xff" * 32, digest, r + s),
        "another first byte of the key": (b"\x04" + key[1:], digest, r + s),
        "a signature of 63 bytes": (key, digest, sig[:63]),
        "a signature of 65 bytes": (key, digest, sig),
        "a digest of 31 bytes": (key, digest[:31], r + s),
        "nothing": (b"", b"", b""),
    }
    for at in (0, 31, 32, 63):
        changed = bytearray(r + s)
        changed[at] ^= 1
        refused[f"a bit of byte {at} changed"] = (key, digest, bytes(changed))
    return (*found, *(KnownAnswer(name, question, False) for name, question in refused.items()))


def _recover_answers() -> tuple[KnownAnswer, ...]:
    found = []
    for name, _, digest_text, signature_text in _SIGNED:
        question = (bytes.fromhex(digest_text), bytes.fromhex(signature_text))
        # v is 2 there, and the forms that chains use have 0 and 1 only
        answer = None if name == _WRAPPED else bytes.fromhex(_UNCOMPRESSED[name])
        found.append(KnownAnswer(name, question, answer))
    digest, sig = bytes.fromhex(_SIGNED[0][2]), bytes.fromhex(_SIGNED[0][3])
    r, s, v, zero = sig[:32], sig[32:64], sig[64:], bytes(32)
    refused = {
        "r = 0": (digest, zero + s + v),
        "s = 0": (digest, r + zero + v),
        "r = the order": (digest, _word(ORDER) + s + v),
        "s = the order": (digest, r + _word(ORDER) + v),
        "high s": (digest, r + _word(ORDER - int.from_bytes(s, "big")) + v),
        "v = 27": (digest, r + s + b"\x1b"),
        "no point has r as its x": (digest, _word(5) + s + v),
        "the compact form": (digest, r + s),
        "a digest of 31 bytes": (digest[:31], sig),
    }
    return (*found, *(KnownAnswer(name, question, None) for name, question in refused.items()))


_UNCOMPRESSED = {
    "a digest": "0491f2ff89b9c84f718897fda9bb4f6b807a8b9ce7bdead45faee345b7f2926228a2b0ce184cc69491e116f928e3e97586d22078c8591150971d472d2d4bd83ad7",
    "a digest of zeros": "04208f18bb88c8c50fc37e8d5bd839e55316e9e1d62e8b43e49bc2478e799b9ab83083d8d8d3c31a09ee23a8d7040e6c4d917b36caac107fd8982d252f0e0cbf7f",
    "a digest above the order": "0479443b46eb599d38dbf7463feddb3df6bd47e8dc699699b39e2c7da012750b2cfb0b313be45d8b9f203fc0cbd98bc04267cc0fec19f80b78ce34b378ddd9dc18",
    "the order as digest, secret -1": "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798b7c52588d95c3b9aa25b0403f1eef75702e84bb7597aabe663b82f6f04ef2777",
    "secret 1": "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
    "s = 1": "04034afbd045cd007ad76fc9841c551df0b006cf9d0b4d33c9f7a01f33490eddc208ae81eee489bd2d38ca14774b0d1de89870126f56d293d3bd658d235b702e5e",
    "s = half the order": "046cd1d656dfaf067e455253eceb656131376d94f864ea6b1f9a4b879b77e0fbc2399dcc5374c2c667c5074f0207ab0e1e1611fb9632282fb74249549f494e7ea1",
    "r = 1": "04b8ff2c09efc3f980036036d3006394d39b522b712c354a9189372913464ae7811eb92d80d6e545ab9458b558a0d3b641248061e5961bf6ce805c0ca073044c7e",
}
"""Keys of `_SIGNED`, as recovered by eth-keys."""

VERIFY = _verify_answers()
"""Of (compressed key, digest, r ‖ s): whether it is by the key, s low."""
RECOVER = _recover_answers()
"""Of (digest, r ‖ s ‖ v): the key of 65 bytes, or None."""
