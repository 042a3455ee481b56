"""The key of a person or guardian: it signs what the rules of persons know, and the caller never chooses the signed bytes."""

from typing import Any

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.addresses import eth_address
from hutong.relay.services.identity.rules.persons.person import Control, Place
from hutong.relay.services.identity.rules.persons.registering import Registration
from hutong.relay.services.identity.rules.persons.signed import (
    cancel_digest,
    change_digest,
    compact_form,
    proof_request_digest,
    recovery_digest,
    registration_digests,
)


class PersonKey:
    """One key, which has no public attribute, no representation, and is not pickled or copied."""

    __slots__ = ("__key", "_hub", "account")

    def __init__(self, private_key: bytes, hub: str) -> None:
        """Signs for one hub alone, by its name: the chain id without its revision."""
        account = eth_address(secp256k1.public_key_of(private_key))
        if account is None:
            raise ValueError("a key without an account")
        self.__key, self._hub, self.account = private_key, hub, account

    def register(self, shard: tuple[bytes, int], control: Control, salt: bytes) -> Registration:
        """A registration of this key, in a shard (registrar's DID, number)."""
        (digest,) = registration_digests(self._hub, shard, [(control, salt)])
        return Registration(control, salt, self._compact(digest))

    def change(self, place: Place, leaf: bytes, following: Control) -> bytes:
        """64 bytes, by which `following` takes the place of what `leaf` commits to."""
        return self._compact(change_digest(self._hub, place, leaf, following))

    def cancel(self, place: Place, record: bytes) -> bytes:
        """64 bytes, by which a recovery ends; `record` is the SHA-256 of its value on the hub."""
        return self._compact(cancel_digest(self._hub, place, record))

    def ask(self, place: Place, expires_s: int) -> bytes:
        """64 bytes, by which a registrar's service tells the proof of a person until `expires_s`, Unix seconds."""
        return self._compact(proof_request_digest(self._hub, place, expires_s))

    def approve(self, place: Place, leaf: bytes, following: Control, expires_s: int) -> bytes:
        """65 bytes of a guardian, which may begin a recovery until `expires_s`, Unix seconds."""
        signed = secp256k1.sign_recoverable(self.__key, recovery_digest(self._hub, place, leaf, following, expires_s))
        return signed[:64] + bytes([27 + signed[64]])

    def _compact(self, digest: bytes) -> bytes:
        return compact_form(secp256k1.sign_recoverable(self.__key, digest))

    def __repr__(self) -> str:
        return f"PersonKey(0x{self.account.hex()})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a key is not copied or pickled")
