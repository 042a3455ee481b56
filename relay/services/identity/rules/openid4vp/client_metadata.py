"""What a request says of its verifier: the key to encrypt the answer to, and the formats that it takes (OpenID4VP 1.0 §5.1)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.dcql.query import SD_JWT_VC_FORMAT
from hutong.relay.services.identity.rules.jose import Algorithm, JsonObject, JsonValue, VerificationKey, read_jwk
from hutong.relay.services.identity.rules.jose.jwe import KEY_AGREEMENT, Encryption
from hutong.relay.services.identity.rules.jose.jwk import read_key_id

MAX_KEYS: Final = 8
MAX_LISTED: Final = 16
DEFAULT_ENCRYPTION: Final = (Encryption.A128GCM,)


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A public key on P-256 that answers are encrypted to, by its name."""

    kid: str
    key: VerificationKey


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """`encryption_key` None: answers are not encrypted. `encryptions` in the verifier's order."""

    encryption_key: EncryptionKey | None
    encryptions: tuple[Encryption, ...] = tuple(Encryption)


def write_metadata(metadata: ClientMetadata) -> JsonObject:
    """`client_metadata` of a request for SD-JWT VCs under ES256: inverse of `metadata_well_formed`."""
    algorithms: list[JsonValue] = [Algorithm.ES256.value]
    written: JsonObject = {
        "vp_formats_supported": {
            SD_JWT_VC_FORMAT: {"sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": list(algorithms)}
        }
    }
    if metadata.encryption_key is not None:
        encryption = metadata.encryption_key
        jwk: JsonObject = {**encryption.key.public_jwk(), "kid": encryption.kid, "use": "enc", "alg": KEY_AGREEMENT}
        written["jwks"] = {"keys": [jwk]}
        written["encrypted_response_enc_values_supported"] = [one.value for one in metadata.encryptions]
    return written


@rule(f"{drafts.OPENID4VP} §5.1, {drafts.HAIP} §5")
def metadata_well_formed(value: JsonValue) -> ClientMetadata:
    """The first key that this holder can encrypt to, and how; SD-JWT VCs under ES256 are taken.

    Keys of other kinds are passed over, as wallets do.

    Raises:
        MalformedInput: another structure.
        PredicateFailed: no SD-JWT VC under ES256 is taken; or no encryption that is known.
    """
    if not isinstance(value, dict):
        raise MalformedInput("client_metadata", "is not an object", got=value)
    _demand_format(value)
    if "jwks" not in value:
        return ClientMetadata(None)
    listed = value["jwks"]
    keys = listed.get("keys") if isinstance(listed, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        raise MalformedInput("client_metadata.jwks.keys", f"is not a list of 1 to {MAX_KEYS}", got=keys)
    usable = [
        found for at, key in enumerate(keys) if (found := usable_encryption_key(key, f"client_metadata.jwks[{at}]"))
    ]
    if len({one.kid for one in usable}) != len(usable):
        raise MalformedInput("client_metadata.jwks", "two keys have one kid")
    return ClientMetadata(usable[0] if usable else None, _encryptions(value))


def _encryptions(metadata: JsonObject) -> tuple[Encryption, ...]:
    if "encrypted_response_enc_values_supported" not in metadata:
        return DEFAULT_ENCRYPTION
    names = _texts(metadata["encrypted_response_enc_values_supported"], "encrypted_response_enc_values_supported")
    known = tuple(Encryption(name) for name in names if name in tuple(Encryption))
    if not known:
        raise PredicateFailed("metadata_well_formed", "content encryption", names, [*map(str, Encryption)])
    return known


def usable_encryption_key(value: JsonValue, path: str) -> EncryptionKey | None:
    """The key of a JWK to which this side can encrypt; None where it is of another kind, or for another use.

    Raises:
        MalformedInput: no object, or such a key that is no point of its curve or has no name.
    """
    if not isinstance(value, dict):
        raise MalformedInput(path, "is not an object", got=value)
    if value.get("use", "enc") != "enc" or value.get("alg") != KEY_AGREEMENT:
        return None
    kid = read_key_id(value, path)
    if kid is None:
        raise MalformedInput(f"{path}.kid", "is needed, so that the answer can name the key")
    try:
        key = read_jwk({name: value[name] for name in value if name not in ("use", "alg", "key_ops")}, path)
    except UnsupportedOperation:
        return None
    return EncryptionKey(kid, key) if key.algorithm is Algorithm.ES256 else None


def _demand_format(metadata: JsonObject) -> None:
    formats = metadata.get("vp_formats_supported")
    taken = formats.get(SD_JWT_VC_FORMAT) if isinstance(formats, dict) else None
    if not isinstance(taken, dict):
        raise PredicateFailed("metadata_well_formed", "format that the verifier takes", formats, SD_JWT_VC_FORMAT)
    for name in ("sd-jwt_alg_values", "kb-jwt_alg_values"):
        if name in taken and Algorithm.ES256.value not in _texts(taken[name], name):
            raise PredicateFailed("metadata_well_formed", name, taken[name], Algorithm.ES256.value)


def _texts(value: JsonValue, name: str) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_LISTED:
        raise MalformedInput(f"client_metadata.{name}", f"is not a list of 1 to {MAX_LISTED}", got=value)
    texts = [one for one in value if isinstance(one, str)]
    if len(texts) != len(value):
        raise MalformedInput(f"client_metadata.{name}", "has an element that is not a text", got=value)
    return texts
