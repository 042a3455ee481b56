"""A seal as a wallet receives it beside a credential: whole, and held by the address that was sent for it."""

from typing import Final

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.jose import JsonValue
from hutong.relay.services.identity.rules.seals.seal import SPEC
from hutong.relay.services.identity.rules.seals.seal_file import SealedCredential, seal_of_json

SEAL: Final = "hutong_seal"
"""Beside `credential` in an issuer's answer."""
SEAL_PROOFS: Final = "hutong_seal_proofs"
"""In a credential request: a key proof of each account that is to hold a seal, in the order of `proofs`."""


@rule(SPEC)
def seal_is_the_wallets(value: JsonValue, address: bytes) -> SealedCredential:
    """The seal with all its claims, for the address that was sent. That its issuer signed it, the contract's chain judges.

    Raises:
        MalformedInput: no seal, or claims that are not its own.
        PredicateFailed: another holder's: this wallet could not present it, and somebody else could.
    """
    sealed = seal_of_json(value)
    if sealed.seal.holder != address:
        raise PredicateFailed("seal_is_the_wallets", "holder of the seal", sealed.seal.holder, address)
    return sealed
