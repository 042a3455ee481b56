"""A message of each kind, as a party of the protocol would write it."""

import json

from hutong.relay.services.directory.rules.dspace.vocabulary import CONTEXT, Kind

PIDS = {"consumerPid": "urn:c", "providerPid": "urn:p"}
OFFER = {"@id": "urn:o:1", "@type": "Offer", "target": "urn:ds:1", "permission": [{"action": "use"}]}
AGREEMENT = {
    "@id": "urn:a:1",
    "@type": "Agreement",
    "target": "urn:ds:1",
    "assigner": "did:web:owner.example",
    "assignee": "did:web:lab.example",
    "timestamp": "2026-12-01T00:00:00Z",
    "permission": [{"action": "use"}],
}
CALLBACK = "https://lab.example/dsp"
MEMBERS = {
    Kind.REQUEST: {"consumerPid": "urn:c", "offer": OFFER, "callbackAddress": CALLBACK},
    Kind.OFFER: {"providerPid": "urn:p", "offer": OFFER, "callbackAddress": CALLBACK},
    Kind.ACCEPTED: {**PIDS, "eventType": "ACCEPTED"},
    Kind.FINALIZED: {**PIDS, "eventType": "FINALIZED"},
    Kind.AGREEMENT: {**PIDS, "agreement": AGREEMENT},
    Kind.TRANSFER_REQUEST: {
        "consumerPid": "urn:c",
        "agreementId": "urn:a:1",
        "format": "HttpData-PULL",
        "callbackAddress": CALLBACK,
    },
}


def fields_of(kind: Kind) -> dict:
    """The first message of a kind, which names an address where there is a choice."""
    return {"@context": [CONTEXT], "@type": kind.type, **MEMBERS.get(kind, PIDS)}


def body_of(kind: Kind, **changes: object) -> bytes:
    """As JSON, with members set, and those left out whose change is None."""
    fields = {**fields_of(kind), **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
