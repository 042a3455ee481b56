"""A list of trusted entities as ETSI TS 119 602 has it, in JSON, which stock wallets and verifiers of the EU's kind read.

No EU profile is claimed: those are for lists that member states notify, with types and services of their own. Status and
history are left out, as the profiles do for PID and wallet providers: who is on the list is trusted, who is not is not.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from hutong.relay.services.identity.rules.exports.list_form import Scheme, Standing, instant, list_ends
from hutong.relay.services.identity.rules.exports.listed_issuer import ListedIssuer
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue
from hutong.relay.services.identity.rules.records.keys import ANY_SCHEMA

VERSION: Final = 1
"""LoTEVersionIdentifier."""


def list_of_trusted_entities(scheme: Scheme, issuers: Sequence[ListedIssuer], at: Standing) -> JsonObject:
    """The payload: `{"LoTE": …}`, entities in order of their DIDs.

    Raises:
        PredicateFailed: see `list_ends`.
    """
    about: JsonObject = {"LoTEVersionIdentifier": VERSION, "LoTESequenceNumber": at.height}
    if scheme.list_type is not None:
        about["LoTEType"] = scheme.list_type
    about["SchemeOperatorName"] = _said(scheme.operator, scheme)
    if scheme.information is not None:
        about["SchemeInformationURI"] = _at(scheme.information, scheme)
    if scheme.territory is not None:
        about["SchemeTerritory"] = scheme.territory
    about["ListIssueDateTime"] = instant(at.time_s)
    about["NextUpdate"] = instant(list_ends(scheme, issuers, at))
    entities: list[JsonValue] = [_entity(one, scheme) for one in sorted(issuers, key=lambda issuer: issuer.did)]
    return {"LoTE": {"ListAndSchemeInformation": about, "TrustedEntitiesList": entities}}


def _entity(issuer: ListedIssuer, scheme: Scheme) -> JsonObject:
    words = issuer.words
    postal: JsonObject = {"lang": scheme.language, "StreetAddress": words.street}
    if words.locality is not None:
        postal["Locality"] = words.locality
    if words.postal_code is not None:
        postal["PostalCode"] = words.postal_code
    postal["Country"] = words.country
    identity: JsonObject = {}
    if words.certificates:
        identity["X509Certificates"] = [{"val": b64encode(one).decode()} for one in words.certificates]
    else:
        identity["PublicKeyValues"] = list(issuer.keys)
    identity["OtherIds"] = [issuer.did]
    which = "all schemas" if scheme.schema == ANY_SCHEMA else f"the schema {scheme.schema.hex()}"
    service: JsonObject = {
        "ServiceName": _said(f"{words.name}: credentials under {which}", scheme),
        "ServiceDigitalIdentity": identity,
    }
    if scheme.service_type is not None:
        service["ServiceTypeIdentifier"] = scheme.service_type
    return {
        "TrustedEntityInformation": {
            "TEName": _said(words.name, scheme),
            "TEAddress": {"TEPostalAddress": [postal], "TEElectronicAddress": _at(words.contact, scheme)},
            "TEInformationURI": _at(words.information, scheme),
        },
        "TrustedEntityServices": [{"ServiceInformation": service}],
    }


def _said(text: str, scheme: Scheme) -> JsonValue:
    return [{"lang": scheme.language, "value": text}]


def _at(uri: str, scheme: Scheme) -> JsonValue:
    return [{"lang": scheme.language, "uriValue": uri}]
