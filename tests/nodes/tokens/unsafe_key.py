"""Puts a key with a known value into a token, as no owner should: `python -m tests.nodes.tokens.unsafe_key MODULE LABEL ID
NAME=True …`. In a process of its own, for a token's library is safe in no process with threads."""

import os
import sys

import pkcs11
from pkcs11 import Attribute, KeyType, ObjectClass

from hutong.light_clients.crypto import secp256k1
from hutong.relay.keys import KeyAlgorithm
from hutong.relay.keys.sources.pkcs11.place import uncompressed
from hutong.relay.keys.sources.pkcs11.token_process import CURVES

SECRET = bytes.fromhex(os.environ.get("SECRET", "11" * 32))


def put(module: str, label: str, key_id: str, *changed: str) -> None:
    """With the PIN of the environment. `changed` are attributes of the private key, such as SENSITIVE=True."""
    token = pkcs11.lib(module).get_token(token_label=label)
    attributes = {Attribute[name]: value == "True" for name, value in (one.split("=") for one in changed)}
    point = b"\x04\x41" + uncompressed(KeyAlgorithm.SECP256K1, secp256k1.public_key_of(SECRET))
    with token.open(rw=True, user_pin=os.environ["PIN"]) as session:
        common = {
            Attribute.TOKEN: True,
            Attribute.KEY_TYPE: KeyType.EC,
            Attribute.EC_PARAMS: CURVES["secp256k1"],
            Attribute.ID: bytes.fromhex(key_id),
        }
        private = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.VALUE: SECRET, Attribute.SIGN: True}
        session.create_object({**common, **private, **attributes})
        session.create_object({**common, Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.EC_POINT: point})


if __name__ == "__main__":
    put(*sys.argv[1:])
