"""An issuance that an issuer put off (OpenID4VCI 1.0 §9), as the wallet keeps it: with the keys of what is to come."""

from dataclasses import dataclass, replace
from typing import Final, Self

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, read_json_object, read_jwk, write_json
from hutong.relay.services.identity.rules.jose.jwe import Encryption
from hutong.relay.services.identity.rules.openid4vp.client_metadata import EncryptionKey
from hutong.relay.services.identity.rules.wallet.encryption_offered import OfferedEncryption
from hutong.relay.services.identity.rules.wallet.issuer_answers import MAX_INTERVAL_S, AccessToken, CredentialsLater
from hutong.relay.services.identity.wallet.holder_keys import HolderKey, SealKey
from hutong.relay.services.identity.wallet.issuing.wanted import KeyPair, WantedCredentials

MAX_ROW_BYTES: Final = 1 << 20
_MAX_TEXT: Final = 1 << 14
_MAX_KEYS: Final = 100
_MAX_TIME_S: Final = 1 << 40
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Pending:
    """Where to ask again, by what, and from when on."""

    name: str
    """A short random id, by which the owner names it."""
    wanted: WantedCredentials
    token: AccessToken
    request_secret: bytes
    """Of the key that the access token is bound to."""
    endpoint: str
    notification_endpoint: str | None
    encryption: OfferedEncryption | None
    transaction_id: str
    ask_after_s: int

    def put_off(self, later: CredentialsLater, now_s: int) -> Self:
        """The same after the issuer said once more that it is not ready."""
        return replace(self, transaction_id=later.transaction_id, ask_after_s=now_s + later.interval_s)

    def to_bytes(self) -> bytes:
        """For the store."""
        keys: list[JsonValue] = [[pair.holder.secret.hex(), pair.seal.secret.hex()] for pair in self.wanted.keys]
        return write_json({
            "issuer": self.wanted.issuer, "configuration": self.wanted.configuration, "vct": self.wanted.vct,
            "display_name": self.wanted.display_name, "is_one_time": self.wanted.is_one_time,
            "is_sealed": self.wanted.is_sealed, "keys": keys, "token": self.token.value,
            "is_bound": self.token.is_bound, "request_secret": self.request_secret.hex(), "endpoint": self.endpoint,
            "notification_endpoint": self.notification_endpoint, "encryption": _written(self.encryption),
            "transaction_id": self.transaction_id, "ask_after_s": self.ask_after_s,
        })  # fmt: skip

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> Self:
        """Inverse of `to_bytes`. No error shows a secret.

        Raises:
            MalformedInput: another document.
        """
        with Document(read_json_object(data, "pending", MAX_ROW_BYTES), "pending").concealed().members() as row:
            shown, notices, encryption = (
                row[field].nullable() for field in ("display_name", "notification_endpoint", "encryption")
            )
            wanted = WantedCredentials(
                row["issuer"].text(_MAX_TEXT),
                row["configuration"].text(_MAX_TEXT),
                row["vct"].text(_MAX_TEXT),
                None if shown is None else shown.text(_MAX_TEXT),
                row["is_one_time"].flag(),
                row["is_sealed"].flag(),
                tuple(_pair(each) for each in row["keys"].items(_MAX_KEYS, 1)),
            )
            return cls(
                name,
                wanted,
                AccessToken(row["token"].text(_MAX_TEXT), row["is_bound"].flag(), None, None),
                row["request_secret"].hex(_SECRET_BYTES),
                row["endpoint"].text(_MAX_TEXT),
                None if notices is None else notices.text(_MAX_TEXT),
                None if encryption is None else _read(encryption),
                row["transaction_id"].text(_MAX_TEXT),
                row["ask_after_s"].integer(0, _MAX_TIME_S + MAX_INTERVAL_S),
            )


def _pair(document: Document) -> KeyPair:
    holder, seal = document.items(2, 2)
    return KeyPair(HolderKey(holder.hex(_SECRET_BYTES)), SealKey(seal.hex(_SECRET_BYTES)))


def _written(encryption: OfferedEncryption | None) -> JsonObject | None:
    if encryption is None:
        return None
    response = encryption.response
    return {
        "kid": encryption.key.kid,
        "jwk": encryption.key.key.public_jwk(),
        "request": encryption.request.value,
        "response": None if response is None else response.value,
    }


def _read(document: Document) -> OfferedEncryption:
    with document.members() as row:
        response = row["response"].nullable()
        try:
            return OfferedEncryption(
                EncryptionKey(row["kid"].text(_MAX_TEXT), read_jwk(row["jwk"].value, "pending.encryption.jwk")),
                Encryption(row["request"].text(16)),
                None if response is None else Encryption(response.text(16)),
            )
        except ValueError as error:
            raise MalformedInput("pending.encryption", "names no encryption of this version") from error
