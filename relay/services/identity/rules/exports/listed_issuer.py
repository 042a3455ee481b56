"""Who goes on a list: an issuer whose records were proven, and what the operator of the list says of it.

The hub knows keys, windows and accreditations, and no names. So what is proven and what is an operator's word are two values
here, and a certificate, which a list carries in place of a key, is one whose hash the hub has for a key of the issuer.
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject
from hutong.relay.services.identity.rules.organisations.key_form import jwk_members
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid
from hutong.relay.services.identity.rules.records.accreditation_record import AccreditationRecord
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyPurpose, KeyRecord
from hutong.relay.services.identity.rules.uris import is_uri

SPEC: Final = "docs/spec/identity-records.md"
MAX_LISTED: Final = 1_000
MAX_TEXT_CHARS: Final = 1_024


@dataclass(frozen=True, slots=True)
class Words:
    """What the operator says of an entity. `certificates` are DER, each of a signing key of the entity."""

    name: str
    street: str
    country: str
    """Two letters, ISO 3166-1."""
    contact: str
    """A URI, such as mailto: or https:."""
    information: str
    """A URI."""
    locality: str | None = None
    postal_code: str | None = None
    certificates: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedIssuer:
    """What is proven: the DID, who accredited it (None: the hub's governance), until when, and its keys for credentials."""

    did: str
    accreditor: str | None
    valid_from_s: int
    valid_until_s: int
    """Of the level of its chain that ends first."""
    keys: tuple[JsonObject, ...]
    """As JWK, in order of their thumbprints."""
    words: Words


@rule(SPEC)
def chain_is_shown(found: ProvenDid) -> tuple[AccreditationRecord, ...]:
    """The records came with the unbroken chain of accreditations, which was judged; the issuer's own first.

    Raises:
        PredicateFailed: nobody asked for a chain.
    """
    if not found.chain:
        raise PredicateFailed("chain_is_shown", "the issuer's accreditations were not asked for", found.did)
    return found.chain


@rule(SPEC)
def issuer_has_a_signing_key(found: ProvenDid, time_s: int) -> dict[bytes, KeyRecord]:
    """It is active, and a key of it signs credentials at this time; those keys by thumbprint. Keys of SM2 sign none.

    Raises:
        PredicateFailed: none does.
    """
    signing = {
        print_of: key
        for print_of, key in sorted(found.counting_at(time_s).items())
        if key.use.purposes & KeyPurpose.SIGNING and key.key.algorithm is not KeyAlgorithm.SM2
    }
    if not signing:
        raise PredicateFailed("issuer_has_a_signing_key", "no key signs credentials at this time", got=time_s)
    return signing


@rule(f"{drafts.ETSI_TRUSTED_ENTITIES} §6.6.3")
def certificates_are_of_its_keys(words: Words, signing: dict[bytes, KeyRecord]) -> None:
    """The hub has the hash of each certificate (`x5t#S256`) for a key that signs credentials now.

    Raises:
        PredicateFailed: it has not, by the hash.
    """
    recorded = {key.use.x5t_s256 for key in signing.values()}
    for certificate in words.certificates:
        if sha256(certificate) not in recorded:
            raise PredicateFailed(
                "certificates_are_of_its_keys",
                "no signing key of the issuer has this certificate",
                sha256(certificate).hex(),
                sorted(one.hex() for one in recorded if any(one)),
            )


@rule(f"{drafts.ETSI_TRUSTED_ENTITIES} §6.1.3")
def words_are_in_their_form(words: Words) -> None:
    """Texts are there, the country has two capital letters, and what has to be a URI is one.

    Raises:
        PredicateFailed: one is not.
    """
    texts = {"name": words.name, "street": words.street, "contact": words.contact, "information": words.information}
    for name, text in texts.items():
        if not 0 < len(text) <= MAX_TEXT_CHARS:
            raise PredicateFailed("words_are_in_their_form", f"{name} has 1 to {MAX_TEXT_CHARS} characters", len(text))
    if not (len(words.country) == 2 and words.country.isascii() and words.country.isupper()):
        raise PredicateFailed("words_are_in_their_form", "country", words.country, "two letters of ISO 3166-1")
    for name in ("contact", "information"):
        if not is_uri(texts[name]):
            raise PredicateFailed("words_are_in_their_form", name, texts[name], "a URI")


def judge_listed(judge: Judge, hub: str, found: ProvenDid, time_s: int, words: Words) -> ListedIssuer:
    """What goes on a list of a DID whose chain was judged at `time_s`, the time of its header.

    Raises:
        PredicateFailed: it has no chain, no key, or the operator's words do not fit.
    """
    chain = judge(chain_is_shown, found)
    signing = judge(issuer_has_a_signing_key, found, time_s)
    judge(words_are_in_their_form, words)
    judge(certificates_are_of_its_keys, words, signing)
    grant = chain[0].grant
    ends_s = [level.grant.valid_until_s for level in chain]
    return ListedIssuer(
        f"did:hutong:{hub}:{found.did.hex()}",
        None if grant.is_root else f"did:hutong:{hub}:{grant.accreditor.hex()}",
        max(level.grant.valid_from_s for level in chain),
        min([*ends_s, max(key.use.valid_until_s for key in signing.values())]),
        tuple({**jwk_members(key.key)} for key in signing.values()),
        words,
    )
