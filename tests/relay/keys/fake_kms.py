"""A key store that answers as AWS KMS does (JSON 1.1): DER, a random nonce, a high s one half of the time, errors by name."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from coincurve import PrivateKey, PublicKey
from coincurve._libsecp256k1 import ffi, lib
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.hashes import sha256
from hutong.relay.base.http import read_body, respond
from hutong.relay.evm.listener import listen, listen_config

SPKI_HEAD = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")
"""What stands before the 65 bytes of a point of secp256k1 (RFC 5480)."""
P256_SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
KIND = b"application/x-amz-json-1.1"


def in_der(r: int, s: int) -> bytes:
    numbers = b""
    for number in (r, s):
        body = number.to_bytes(number.bit_length() // 8 + 1, "big")
        numbers += b"\x02" + bytes([len(body)]) + body
    return b"\x30" + bytes([len(numbers)]) + numbers


def random_signature(secret: bytes, digest: bytes) -> tuple[int, int]:
    """r and s with fresh randomness in the nonce, s high one half of the time."""
    key = PrivateKey(secret)
    signature, entropy = ffi.new("secp256k1_ecdsa_signature *"), os.urandom(32)
    assert lib.secp256k1_ecdsa_sign(key.context.ctx, signature, digest, key.secret, ffi.NULL, ffi.from_buffer(entropy))
    compact = ffi.new("unsigned char[64]")
    lib.secp256k1_ecdsa_signature_serialize_compact(key.context.ctx, compact, signature)
    r, s = (int.from_bytes(bytes(ffi.buffer(compact, 64))[at : at + 32], "big") for at in (0, 32))
    return (r, secp256k1.ORDER - s) if entropy[0] % 2 else (r, s)


@dataclass
class FakeKms:
    """`failures` are the names of the next errors, each with its status; `asked` the message types that were signed."""

    secret: bytes
    failures: list[tuple[int, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lies: bool = False
    is_p256: bool = False
    url: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        asked = json.loads(await read_body(receive, 2**20) or b"{}")
        target = dict(scope["headers"])[b"x-amz-target"].decode()
        if self.failures:
            status, name = self.failures.pop(0)
            await respond(send, status, json.dumps({"__type": name, "message": name}).encode(), KIND)
            return
        answer = self._sign(asked) if target.endswith(".Sign") else self._public_key()
        await respond(send, 200, json.dumps(answer).encode(), KIND)

    def _sign(self, asked: dict[str, Any]) -> dict[str, str]:
        assert asked["SigningAlgorithm"] == "ECDSA_SHA_256"
        message, kind = b64decode(asked["Message"]), asked["MessageType"]
        assert (kind == "DIGEST" and len(message) == 32) or (kind == "RAW" and len(message) <= 4096)
        self.asked.append(kind)
        secret = bytes(31) + b"\x09" if self.lies else self.secret
        digest = message if kind == "DIGEST" else sha256(message)
        if self.is_p256:
            der = _p256_key(secret).sign(digest, ec.ECDSA(Prehashed(SHA256())))
        else:
            der = in_der(*random_signature(secret, digest))
        return {"KeyId": asked["KeyId"], "Signature": b64encode(der).decode()}

    def _public_key(self) -> dict[str, str]:
        if self.is_p256:
            point = _p256_key(self.secret).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return {"PublicKey": b64encode(P256_SPKI_HEAD + point).decode(), "KeySpec": "ECC_NIST_P256"}
        point = PublicKey.from_secret(self.secret).format(compressed=False)
        return {"PublicKey": b64encode(SPKI_HEAD + point).decode(), "KeySpec": "ECC_SECG_P256K1"}


def _p256_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())


@asynccontextmanager
async def fake_kms(secret: bytes, *, is_p256: bool = False) -> AsyncIterator[FakeKms]:
    """Serves until the block ends."""
    app = FakeKms(secret, is_p256=is_p256)
    async with trio.open_nursery() as nursery:
        bound = await nursery.start(listen, app, listen_config("127.0.0.1", 0))
        app.url = f"http://127.0.0.1:{bound}"
        yield app
        nursery.cancel_scope.cancel()
