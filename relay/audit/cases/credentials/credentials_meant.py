"""Whether a credential that evidence shows is the one that a case is about: issuer, schema, gate, and what was shown of it."""

from collections.abc import Sequence

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.audit.cases.statements import SPEC, ShownCredential
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.services.identity.rules.seals import ClaimValue

ID_HEX_DIGITS = 64


@rule(SPEC)
def credential_is_meant(credential: ShownCredential, trust: CaseTrust, issuer: str, schema: str) -> None:
    """It is of the hub, the issuer and the schema that the reader means.

    Args:
        issuer, schema: values of the trust file: a `did:hutong`, and a SHA-256 in hexadecimal.

    Raises:
        PredicateFailed: it is of another.
        MissingTrust: the reader does not say which.
    """
    said = credential.statement
    got = (said.chain_id, said.seal.issuer.hex(), said.seal.schema.hex())
    expected = (trust.hub_chain_id, trust.value(issuer)[-ID_HEX_DIGITS:], trust.value(schema))
    if got != expected:
        raise PredicateFailed("credential_is_meant", "is of another hub, issuer or schema", got, expected)


@rule(SPEC)
def gate_is_meant(credential: ShownCredential, trust: CaseTrust, chain: str, contract: str) -> None:
    """It was presented to the contract that the reader means, on the chain that the reader means.

    Raises:
        PredicateFailed: to another contract.
        MissingTrust: the reader does not say which.
    """
    gate, meant = credential.statement.presentation.gate, trust.chain(chain)
    got, expected = (str(gate.chain_id), gate.address), (meant.chain_id, meant.contract(contract))
    if got != expected:
        raise PredicateFailed("gate_is_meant", "was presented to another contract", got, expected)


@rule(SPEC)
def nothing_else_is_shown(credential: ShownCredential, names: Sequence[str]) -> tuple[ClaimValue, ...]:
    """It was good, and shows exactly these claims. Returns their values, in the order of `names`.

    Raises:
        PredicateFailed: it was refused, or it shows another claim, or one less.
    """
    got, expected = (credential.holds, sorted(credential.claims)), (True, sorted(names))
    if got != expected:
        raise PredicateFailed("nothing_else_is_shown", "other claims are shown", got, expected)
    return tuple(credential.claims[name] for name in names)


@rule(SPEC)
def refused_as_meant(credential: ShownCredential, rules: Sequence[str]) -> str:
    """It was refused by one of these rules. Returns the digest of its seal in hexadecimal.

    Raises:
        PredicateFailed: it was good, or another rule refused it.
    """
    found = credential.statement.refused_by
    if found not in rules:
        raise PredicateFailed("refused_as_meant", "was not refused so", found or "good", list(rules))
    return credential.digest.hex()


def mapping_slot(key: bytes, slot: int) -> bytes:
    """Where a contract keeps the value of a mapping's key (32 bytes each)."""
    return keccak256(key + slot.to_bytes(32, "big"))
