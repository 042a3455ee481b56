"""A credential and a presentation with every member that is judged."""

from typing import Any

ISSUER = "https://issuer.example/vc"
HOLDER = "did:example:holder"

CREDENTIAL: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", {"Licence": "https://issuer.example/terms#Licence"}],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "Licence"],
    "issuer": {"id": ISSUER, "name": [{"@value": "Amt", "@language": "de"}, "Office"]},
    "name": "Licence",
    "validFrom": "2024-01-01T00:00:00Z",
    "validUntil": "2027-01-01T00:00:00.5+01:00",
    "credentialSubject": [{"id": "did:example:subject", "class": "B"}, {"class": "C"}],
    "credentialStatus": {"id": "https://issuer.example/s#1", "type": "BitstringStatusListEntry"},
    "credentialSchema": {"id": "https://issuer.example/schema", "type": "JsonSchema"},
    "evidence": [{"type": ["https://issuer.example/terms#Paper"]}],
}
PRESENTATION: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": "VerifiablePresentation",
    "id": "urn:uuid:9c9a36f8-518f-4976-a934-6649502d0008",
    "holder": {"id": HOLDER},
    "verifiableCredential": [
        {
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": "data:application/vc+jwt,eyJhbGciOiJFUzI1NiJ9.e30.AA",
        },
        {**CREDENTIAL, "issuer": HOLDER},
    ],
}
