"""A key on a token of SoftHSM2 whose value a test knows, so that it can be looked for where it must not be.

A key that was made on the token is known to nobody, and one that was put there is refused by hutong as it should be. So one is
put there, and the token's file is told that it never could leave: what no owner of real hardware can do.
"""

import os
import subprocess
import sys
from pathlib import Path

from hutong.light_clients.crypto import secp256k1
from tests.nodes.tokens.soft_token import PIN, SoftToken

_NEVER_EXTRACTABLE = (0x164).to_bytes(8, "big") + (1).to_bytes(8, "big")
"""As SoftHSM2 writes an attribute: its number, and that it is a boolean, which is the next byte."""


def put_known_key(token: SoftToken, key_id: str, secret: bytes) -> bytes:
    """The compressed public key of `secret`, which is on the token from now on as one that never leaves."""
    attributes = ("SENSITIVE=True", "EXTRACTABLE=False")
    program = (
        sys.executable,
        "-m",
        "tests.nodes.tokens.unsafe_key",
        str(token.module),
        token.label,
        key_id,
        *attributes,
    )
    subprocess.run(program, env=os.environ | {"PIN": PIN, "SECRET": secret.hex()}, check=True, timeout=120)
    for file in token.tokens.glob("*/*.object"):
        _say_it_never_left(file)
    token.keys[key_id] = secp256k1.public_key_of(secret)
    return token.keys[key_id]


def _say_it_never_left(file: Path) -> None:
    content = bytearray(file.read_bytes())
    at = content.find(_NEVER_EXTRACTABLE)
    if at >= 0:
        content[at + len(_NEVER_EXTRACTABLE)] = 1
        file.write_bytes(content)
