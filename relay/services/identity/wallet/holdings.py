"""What a wallet holds, as values: a holding is what one offer brought, an instance is one credential of its batch."""

from dataclasses import dataclass
from typing import Self

from hutong.light_clients.interface.document import Document
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, read_json_object, write_json

MAX_ROW_BYTES = 1 << 22
_MAX_TEXT = 1 << 20
_MAX_TIME_S = 1 << 40
_SECRET_HEX = 64


@dataclass(frozen=True, slots=True)
class Holding:
    """`is_one_time`: each credential is presented once. A credential that came alone is shown again, and can be recognised."""

    name: str
    """A short random id, by which the owner names it."""
    issuer: str
    configuration: str
    vct: str
    display_name: str | None
    claims: JsonObject
    """Of its first credential, with every disclosure in place."""
    authorities: tuple[str, ...]
    is_one_time: bool
    accepted_s: int
    count: int

    def to_bytes(self) -> bytes:
        """For the store."""
        authorities: list[JsonValue] = list(self.authorities)
        return write_json(
            {
                "issuer": self.issuer,
                "configuration": self.configuration,
                "vct": self.vct,
                "display_name": self.display_name,
                "claims": self.claims,
                "authorities": authorities,
                "is_one_time": self.is_one_time,
                "accepted_s": self.accepted_s,
                "count": self.count,
            }
        )

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> Self:
        """Inverse of `to_bytes`.

        Raises:
            MalformedInput: another document.
        """
        with Document(read_json_object(data, "holding", MAX_ROW_BYTES), "holding").members() as row:
            shown, claims = row["display_name"].nullable(), row["claims"]
            claims.entries(_MAX_TEXT)
            return cls(
                name,
                row["issuer"].text(_MAX_TEXT),
                row["configuration"].text(_MAX_TEXT),
                row["vct"].text(_MAX_TEXT),
                None if shown is None else shown.text(_MAX_TEXT),
                claims.value,
                tuple(each.text(_MAX_TEXT) for each in row["authorities"].items(_MAX_TEXT)),
                row["is_one_time"].flag(),
                row["accepted_s"].integer(0, _MAX_TIME_S),
                row["count"].integer(1, _MAX_TEXT),
            )


@dataclass(frozen=True, slots=True)
class Instance:
    """One credential with its keys. `seal` is the seal that came with it, with all its claims and salts."""

    credential: str
    secret: bytes
    seal_secret: bytes | None
    seal: JsonObject | None

    def to_bytes(self) -> bytes:
        """For the store."""
        return write_json(
            {
                "credential": self.credential,
                "secret": self.secret.hex(),
                "seal_secret": None if self.seal_secret is None else self.seal_secret.hex(),
                "seal": self.seal,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Inverse of `to_bytes`. No error shows a secret.

        Raises:
            MalformedInput: another document.
        """
        with Document(read_json_object(data, "instance", MAX_ROW_BYTES), "instance").concealed().members() as row:
            seal_secret, seal = row["seal_secret"].nullable(), row["seal"].nullable()
            return cls(
                row["credential"].text(_MAX_TEXT),
                row["secret"].hex(_SECRET_HEX // 2),
                None if seal_secret is None else seal_secret.hex(_SECRET_HEX // 2),
                None if seal is None else seal.value,
            )


@dataclass(frozen=True, slots=True)
class Presented:
    """A line of the wallet's diary: to whom what was shown, by paths and never by values."""

    time_s: int
    verifier: str
    holding: str
    claims: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """For the store."""
        claims: list[JsonValue] = list(self.claims)
        return write_json({"time_s": self.time_s, "verifier": self.verifier, "holding": self.holding, "claims": claims})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Inverse of `to_bytes`.

        Raises:
            MalformedInput: another document.
        """
        with Document(read_json_object(data, "presented", MAX_ROW_BYTES), "presented").members() as row:
            return cls(
                row["time_s"].integer(0, _MAX_TIME_S),
                row["verifier"].text(_MAX_TEXT),
                row["holding"].text(_MAX_TEXT),
                tuple(each.text(_MAX_TEXT) for each in row["claims"].items(_MAX_TEXT)),
            )
