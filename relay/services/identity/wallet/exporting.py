"""What a wallet writes for another wallet: credentials, seals and, where their owner says so, keys."""

from collections.abc import Sequence

from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, encode_base64url
from hutong.relay.services.identity.wallet.holder_keys import HolderKey
from hutong.relay.services.identity.wallet.holdings import Holding, Instance

FORMAT = "hutong-wallet-export"
VERSION = 1


def exported(holding: Holding, instances: Sequence[Instance], *, with_keys: bool) -> JsonObject:
    """One document; keys as private JWKs, those of seals as 0x and hex."""
    listed: list[JsonValue] = [_instance(each, with_keys=with_keys) for each in instances]
    return {
        "format": FORMAT,
        "version": VERSION,
        "issuer": holding.issuer,
        "vct": holding.vct,
        "one_time": holding.is_one_time,
        "credentials": listed,
    }


def _instance(instance: Instance, *, with_keys: bool) -> JsonObject:
    written: JsonObject = {"format": "dc+sd-jwt", "credential": instance.credential}
    if instance.seal is not None:
        written["seal"] = instance.seal
    if with_keys:
        written["jwk"] = {**HolderKey(instance.secret).jwk, "d": encode_base64url(instance.secret)}
        if instance.seal_secret is not None:
            written["seal_key"] = f"0x{instance.seal_secret.hex()}"
    return written
