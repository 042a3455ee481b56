"""Proofs of the keys to which credentials are to be bound: signed by each, or attested by the provider (OpenID4VCI 1.0 §F)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import UnsupportedOperation
from hutong.relay.services.identity.rules.jose import JsonObject, sign_compact, write_json
from hutong.relay.services.identity.rules.openid4vci.key_proofs import ATTESTATION_MEMBER, PROOF_TYPE
from hutong.relay.services.identity.rules.wallet.proof_demands import KeyLevels, ProofDemand, ProofKind
from hutong.relay.services.identity.wallet.holder_keys import HolderKey, SealKey
from hutong.relay.services.identity.wallet.issuing.provider import Provider

MAX_NESTED: Final = 20
"""Keys of one request whose proofs each carry the attestation of all: their size grows with the square."""


@dataclass(frozen=True, slots=True)
class ProofMaker:
    """Of one request: to whom, under which nonce, at which time; `provider` attests keys where that is asked for."""

    issuer: str
    nonce: str | None
    now_s: int
    provider: Provider | None
    client_id: str | None = None
    """Of an attested client; None: the wallet is anonymous, and names nobody."""

    def proofs(self, demand: ProofDemand, keys: Sequence[HolderKey]) -> JsonObject:
        """`proofs` of a request, of the first kind that this wallet can make.

        Raises:
            UnsupportedOperation: all of them need a provider, and there is none, or it cannot say what is wanted.
            WalletUnusable: the provider cannot sign now.
        """
        kind, levels = chosen_proof(demand, self.provider)
        attestation = self._attestation(levels, keys)
        if kind is ProofKind.ATTESTED and attestation is not None:
            return {kind.value: [attestation]}
        return {kind.value: [self.signed(key, attestation) for key in keys]}

    def signed(self, key: HolderKey | SealKey, attestation: str | None = None) -> str:
        """One proof, signed by the key itself."""
        claims: JsonObject = {"aud": self.issuer, "iat": self.now_s}
        if self.client_id is not None:
            claims["iss"] = self.client_id
        if self.nonce is not None:
            claims["nonce"] = self.nonce
        header: JsonObject = {"alg": key.public.algorithm.value, "typ": PROOF_TYPE, "jwk": key.jwk}
        if attestation is not None:
            header[ATTESTATION_MEMBER] = attestation
        return sign_compact(header, write_json(claims), key.sign)

    def _attestation(self, levels: KeyLevels | None, keys: Sequence[HolderKey]) -> str | None:
        if levels is None or self.provider is None:
            return None
        return self.provider.key_attestation([key.jwk for key in keys], self.nonce, self.now_s)


def chosen_proof(demand: ProofDemand, provider: Provider | None) -> tuple[ProofKind, KeyLevels | None]:
    """The first kind that a wallet of this provider, or of none, can make.

    Raises:
        UnsupportedOperation: there is none.
    """
    for kind, levels in demand.kinds:
        if levels is None or (provider is not None and provider.can_say(levels)):
            return kind, levels
    if provider is None:
        raise UnsupportedOperation(
            "an issuer that wants keys attested, for a wallet that nobody attests",
            "name its provider's file (docs/identity/wallet.md)",
        )
    wanted = [
        word for _, levels in demand.kinds if levels is not None for word in levels.storage + levels.authentication
    ]
    raise UnsupportedOperation(
        f"keys that are kept as {', '.join(wanted)[:200]}", "the wallet's provider does not say so"
    )


def most_keys(demand: ProofDemand, provider: Provider | None, most: int) -> int:
    """How many keys one request can prove, at most `most`."""
    kind, levels = chosen_proof(demand, provider)
    return min(most, MAX_NESTED) if kind is ProofKind.SIGNED and levels is not None else most
