"""Keys that are trusted together, such as those of one issuer (RFC 7517 §5)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey, read_jwk
from hutong.relay.services.identity.rules.jose.strict_json import JsonValue, read_json_object

MAX_KEYS: Final = 32
"""Each key without a name costs a verification."""
MAX_KEY_SET_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class KeySet:
    """At most `MAX_KEYS` keys, of which no two have one name.

    Raises:
        MalformedInput: more, or two of one `kid`: which one a token means would be a matter of order.
    """

    keys: tuple[VerificationKey, ...]

    def __post_init__(self) -> None:
        if len(self.keys) == 1:
            return
        if len(self.keys) > MAX_KEYS:
            raise MalformedInput("keys", f"more than {MAX_KEYS}", got=len(self.keys))
        names = [key.kid for key in self.keys if key.kid is not None]
        if len(set(names)) != len(names):
            raise MalformedInput("keys", "two keys have one kid", got=next(n for n in names if names.count(n) > 1))

    def candidates(self, algorithm: Algorithm, kid: str | None) -> tuple[VerificationKey, ...]:
        """Keys that may have signed a token of this algorithm and `kid`. A name on both sides must be the same."""
        return tuple(
            [  # of one or two keys, a list is made in half the time of a generator
                key
                for key in self.keys
                if key.algorithm is algorithm and (kid is None or key.kid is None or key.kid == kid)
            ]
        )


def read_key_set(data: bytes, path: str) -> KeySet:
    """A JWK or a set of them as a file holds it. Keys of other kinds, or for encryption, are left out.

    Raises:
        MalformedInput: no such document; a symmetric, private or broken key; two keys of one `kid`; or no key is left.
    """
    document = read_json_object(data, path, MAX_KEY_SET_BYTES)
    listed: JsonValue = document.get("keys", [document])
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise MalformedInput(f"{path}.keys", f"is not a list of at most {MAX_KEYS}", got=listed)
    keys = []
    for index, member in enumerate(listed):
        if isinstance(member, dict) and member.get("kty") == "oct":
            # A set that mixes the two kinds invites a public key to be taken for the secret of an HMAC.
            raise MalformedInput(f"{path}.keys[{index}]", "is a symmetric key")
        try:
            keys.append(read_jwk(member, f"{path}.keys[{index}]"))
        except (UnsupportedOperation, PredicateFailed):
            continue
    if not keys:
        raise MalformedInput(path, "has no key of a supported curve for signatures")
    return KeySet(tuple(keys))
