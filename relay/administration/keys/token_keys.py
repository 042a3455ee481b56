"""Keys on a token: what is there, and a new one that can never leave it. For PIN and slots the rules of `pkcs11` hold."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import trio

from hutong.adapters.interface.errors import SigningFailed
from hutong.light_clients.crypto.addresses import eth_address
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.base.os_errors import os_reason
from hutong.relay.config.keys.pkcs11 import check_key_id
from hutong.relay.config.keys.public_key import Curve
from hutong.relay.keys import KeyAlgorithm, KeyUnavailable
from hutong.relay.keys.sources.pkcs11.place import checked_place, compressed
from hutong.relay.keys.sources.pkcs11.pool import TokenPool
from hutong.relay.keys.sources.pkcs11.process import TokenPlace

LIMIT_S = 60.0
"""For one answer: cards make a key in many seconds."""
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A private key of a token. `public_key` is compressed; `unusable` says why it could not be configured, if so."""

    key_id: str
    label: str
    curve: Curve
    public_key: bytes | None
    unusable: tuple[str, ...]

    @property
    def address(self) -> str | None:
        """The account of a key of secp256k1, as EIP-55 text."""
        from eth_utils.address import to_checksum_address

        known = self.public_key if self.curve == "secp256k1" else None
        found = None if known is None else eth_address(known)
        return None if found is None else to_checksum_address(found)


def token_place(module: Path, token_label: str, pin_file: Path, token_serial: str | None) -> TokenPlace:
    """The token that is meant.

    Raises:
        Unusable: python-pkcs11 is not installed, or library or PIN file cannot be used.
    """
    try:
        return checked_place(TokenPlace(module, token_label, token_serial, pin_file), f"pkcs11 {token_label}")
    except KeyUnavailable as error:
        raise Unusable(str(error)) from None


def keys_on_token(place: TokenPlace) -> list[TokenKey]:
    """Every private key of secp256k1 and P-256, by id.

    Raises:
        Declined: token, PIN or library, named.
    """
    rows = _asked(place, "listed", {})
    found = [
        TokenKey(row["id"], row["label"], row["curve"], _key(row["curve"], row["point"]), tuple(row["unusable"]))
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.key_id, one.curve))


def generate_on_token(place: TokenPlace, key_id: str, label: str, curve: Curve, key_file: Path) -> TokenKey:
    """Make a key that the token never lets out, and write its table into a new file for relays and commands.

    Args:
        key_id: its CKA_ID, in hex.
        key_file: written with mode 0600; it must not exist.

    Raises:
        Unusable: the id is none, or the file cannot be written; nothing was made.
        Declined: as `keys_on_token`, or the id is taken.
    """
    try:
        key_id = check_key_id(key_id)
    except ValueError as error:
        raise Unusable(f"--key-id {error}") from None
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Unusable(f"{key_file} cannot be written ({os_reason(error)})") from None
    with os.fdopen(descriptor, "w") as file:
        try:
            point = _asked(place, "generate", {"key_id": key_id, "label": label, "curve": curve})
        except Declined:
            key_file.unlink()
            raise
        made = TokenKey(key_id, label, curve, _key(curve, point), ())
        assert made.public_key is not None
        file.write(key_table(place, key_id, curve, made.public_key))
    return made


def key_table(place: TokenPlace, key_id: str, curve: Curve, public_key: bytes) -> str:
    """A key file (TOML) of a key on a token, with absolute paths."""
    lines = [
        "[key]",
        'kind = "pkcs11"',
        f"module = {_text(str(place.module.absolute()))}",
        f"token_label = {_text(place.label)}",
        *([] if place.serial is None else [f"token_serial = {_text(place.serial)}"]),
        f"key_id = {_text(key_id)}",
        *([] if curve == "secp256k1" else [f"curve = {_text(curve)}"]),
        f"public_key = {_text(public_key.hex())}",
        f"pin_file = {_text(str(place.pin_file.absolute()))}",
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    import json

    return json.dumps(value)


def _key(curve: Curve, point: str | None) -> bytes | None:
    return None if point is None else compressed(KeyAlgorithm(curve), bytes.fromhex(point))


def _asked(place: TokenPlace, deed: str, about: dict[str, Any]) -> Any:
    async def ask() -> Any:
        pool = TokenPool(place)
        try:
            return await pool.ask(f"pkcs11 {place.label}", deed, about, LIMIT_S)
        finally:
            await pool.aclose()

    try:
        return trio.run(ask)
    except SigningFailed as error:
        raise Declined(str(error)) from None
