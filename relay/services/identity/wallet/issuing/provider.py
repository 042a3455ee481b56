"""The provider that vouches for this wallet: its key, its certificates, and what it says of wallets and their keys.

`provider.toml` in the wallet's folder, or the file that is named to it; paths are taken from the file's own folder:

    name = "https://provider.example"       # `iss` of what it attests
    client_id = "hutong-wallet"             # the same for every wallet of this provider
    key = "provider.pem"                    # P-256, PKCS #8, mode 0600; or a key's table (docs/keys.md)
    certificates = "provider-chain.pem"     # its certificate first, without the anchor
    # key_storage = ["iso_18045_basic"]     # what it may truthfully say of how these wallets keep keys
    # user_authentication = ["iso_18045_basic"]

Who can sign by that key can vouch for any wallet. So this is for wallets whose operator is their provider.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

import trio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import Field

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.interface import VerificationError
from hutong.relay.config import ConfigError, Problem, TokenKeyConfig, load_model, token_key_file_problems
from hutong.relay.config.fields import FilePath, Model
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.token_key import TokenKey, open_token_key
from hutong.relay.services.identity.rules.jose import Algorithm, JsonObject, JsonValue, sign_compact, write_json
from hutong.relay.services.identity.rules.jose.certificates import chain_well_formed, leaf_key_is_p256
from hutong.relay.services.identity.rules.openid4vci.client_attestations import ATTESTATION_TYPE as WALLET_TYPE
from hutong.relay.services.identity.rules.openid4vci.key_attestations import ATTESTATION_TYPE as KEYS_TYPE
from hutong.relay.services.identity.rules.wallet.proof_demands import KeyLevels
from hutong.relay.services.identity.wallet.errors import WalletUnusable

PROVIDER_FILE: Final = "provider.toml"
LIFE_S: Final = 900
"""Of an attestation: made for one issuance, and of no use after it."""
Made = TypeVar("Made")
_Text = Annotated[str, Field(min_length=1, max_length=512)]
_Levels = Annotated[tuple[_Text, ...], Field(max_length=16, strict=False)]


class ProviderConfig(Model):
    """A provider's file."""

    name: _Text
    client_id: _Text = "hutong-wallet"
    key: TokenKeyConfig
    certificates: FilePath
    key_storage: _Levels = ()
    user_authentication: _Levels = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """Vouches for wallets by a key under certificates. `x5c` is their chain in base64 of DER."""

    config: ProviderConfig
    x5c: tuple[str, ...]

    def wallet_attestation(self, key: JsonObject, now_s: int) -> str:
        """That the holder of this key is a wallet of this provider (OAuth 2.0 Attestation-Based Client Authentication §5.1).

        It names no wallet: `sub` is the same for all, and the key is new for every issuance (HAIP 1.0 §4.4).

        Raises:
            WalletUnusable: the provider's key cannot be used now.
        """
        claims: JsonObject = {
            "iss": self.config.name,
            "sub": self.config.client_id,
            "cnf": {"jwk": key},
            "iat": now_s,
            "exp": now_s + LIFE_S,
        }
        return self._signed(WALLET_TYPE, claims)

    def can_say(self, wanted: KeyLevels) -> bool:
        """Whether keys are kept as an issuer wants it, in the provider's own words: one of each list, where it has one."""
        own, asked = self._levels(), (wanted.storage, wanted.authentication)
        return all(not some or set(some) & set(have) for some, have in zip(asked, own.values(), strict=True))

    def key_attestation(self, keys: Sequence[JsonObject], nonce: str | None, now_s: int) -> str:
        """That these keys are kept as the provider says (OpenID4VCI 1.0, appendix D.1).

        Raises:
            WalletUnusable: as `wallet_attestation`.
        """
        claims: JsonObject = {"iss": self.config.name, "iat": now_s, "exp": now_s + LIFE_S, "attested_keys": [*keys]}
        if nonce is not None:
            claims["nonce"] = nonce
        claims |= {name: list[JsonValue](words) for name, words in self._levels().items() if words}
        return self._signed(KEYS_TYPE, claims)

    def _levels(self) -> dict[str, tuple[str, ...]]:
        return {"key_storage": self.config.key_storage, "user_authentication": self.config.user_authentication}

    def _signed(self, kind: str, claims: JsonObject) -> str:
        header: JsonObject = {"alg": Algorithm.ES256.value, "typ": kind, "x5c": list[JsonValue](self.x5c)}
        return self._by_key(lambda held: sign_compact(header, write_json(claims), held.sign))

    def _by_key(self, make: Callable[[TokenKey], Made]) -> Made:
        """A key elsewhere is asked in a loop of its own: the wallet blocks, and no connection outlives the signature."""

        async def signed() -> Made:
            held = open_token_key(self.config.key, "key")
            try:
                return await held.signed(lambda: make(held))
            finally:
                await held.aclose()

        try:
            return trio.run(signed)
        except (RoleUnusable, SigningFailed) as error:
            raise WalletUnusable(f"the wallet's provider cannot sign: {error}") from None


def load_provider(path: Path) -> Provider:
    """The provider of a file, whose certificate is its key's. Blocks.

    Raises:
        WalletUnusable: the file, its key or its certificates are not what they should be.
    """
    try:
        config = load_model(path, ProviderConfig, _problems, lambda config: token_key_file_problems(config.key, "key"))
        certificates = x509.load_pem_x509_certificates(config.certificates.read_bytes())
        x5c = tuple(b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates)
        certified = leaf_key_is_p256(chain_well_formed(list[JsonValue](x5c)).leaf)
    except ConfigError as error:
        raise WalletUnusable(str(error)) from None
    except (OSError, ValueError, VerificationError) as error:
        raise WalletUnusable(f"{path}: certificates cannot be used: {error}") from None
    provider = Provider(config, x5c)
    if provider._by_key(lambda held: held.coordinates) != certified.key.coordinates:
        raise WalletUnusable(f"{path}: the first of certificates is of another key than key")
    return provider


def _problems(config: ProviderConfig) -> Iterator[Problem]:
    if not config.name.startswith("https://"):
        yield Problem("name", "is no https URL", "name the provider as issuers know it")
