"""Areas did-webvh, did-key and did-core: logs and their results, keys as identifiers, documents and resolvers' answers.

The method's specification knows the errors notFound and invalidDid alone; what its suite calls invalidProof and
invalidParameters is invalidDid to it, and INVALID_DID to DID Resolution.
"""

import json
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from hutong.relay.services.identity.rules.dids.base58 import decode_base58
from hutong.relay.services.identity.rules.dids.document import DidDocument, Relationship, read_document
from hutong.relay.services.identity.rules.dids.instants import parse_instant_ns
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey, write_multikey
from hutong.relay.services.identity.rules.dids.resolution import ErrorCode, NotResolved, ResolutionOptions, Resolved
from hutong.relay.services.identity.rules.dids.resolve import resolve
from hutong.relay.services.identity.rules.dids.syntax import parse_did, parse_did_url
from hutong.relay.services.identity.rules.dids.verification_method import MULTIBASE_MEMBER, VerificationMethod
from hutong.relay.services.identity.rules.dids.webvh.identifier import LOG_FILE, WITNESS_FILE, parse_webvh_did
from hutong.relay.services.identity.rules.dids.webvh.log import verify_log
from hutong.relay.services.identity.rules.dids.webvh.resolution import Material
from hutong.relay.services.identity.rules.jose.jwk import read_jwk
from tests.vectors.own_lists import Area, judges_area
from tests.vectors.vector_registry import Entry, Verification

NOW_S = 4_102_444_800
"""The year 2100: after every honest log, before those of the year 9999."""
SIGNING = (
    Relationship.AUTHENTICATION,
    Relationship.ASSERTION,
    Relationship.CAPABILITY_INVOCATION,
    Relationship.CAPABILITY_DELEGATION,
)


@judges_area("did-webvh")
def logs(area: Area) -> Iterator[Verification]:
    """A folder of a maker holds a log, perhaps its witnesses, and results; the folder above it says what was done."""

    def folder(entry: Entry) -> Path:
        return entry.path.parent

    for at, together in groupby(sorted(area.entries, key=lambda entry: (folder(entry), entry.file)), folder):
        entries = tuple(together)
        log = next((entry for entry in entries if entry.path.name == LOG_FILE), None)
        if log is None:
            yield Verification(f"scenario of {at.name}", partial(told, entries), of=entries)
            continue
        witness = next((entry for entry in entries if entry.path.name == WITNESS_FILE), None)
        material = Material(log.bytes(), None if witness is None else witness.bytes())
        scenario = next((entry for entry in area.entries if folder(entry) == at.parent), None)
        for result in (entry for entry in entries if entry not in (log, witness)):
            error = (result.json()["didResolutionMetadata"] or {}).get("error")
            name = f"{at.parent.name}/{at.name}/{result.path.name}"
            if error is None:
                yield Verification(name, partial(resolves, material, result.json()), of=entries)
                continue
            of = entries if scenario is None else (*entries, scenario)
            for did in sorted(dids_in(material.log) | dids_asked_for(scenario)):
                yield Verification(f"{name}: {did}", partial(refuses, did, material, error), of=of)


def told(entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        assert "steps" in yaml.safe_load(entry.text())


def dids_in(log: bytes) -> set[str]:
    """Each DID that a document of the log has, also with the SCID that the log says it has."""
    entries = [json.loads(line) for line in log.splitlines()]
    named = {entry["state"]["id"] for entry in entries}
    scids = {entry["parameters"]["scid"] for entry in entries if "scid" in entry["parameters"]}
    return named | {":".join(("did:webvh", scid, *did.split(":")[3:])) for did in named for scid in scids}


def dids_asked_for(scenario: Entry | None) -> set[str]:
    steps = [] if scenario is None else yaml.safe_load(scenario.text())["steps"]
    return {step["did"] for step in steps if "did" in step}


def resolves(material: Material, result: dict[str, Any]) -> None:
    """The version that the result says, with the same keys for the same purposes."""
    expected, metadata = result["didDocument"], result["didDocumentMetadata"]
    did, version_id = parse_did(expected["id"]), metadata["versionId"]
    log = verify_log(parse_webvh_did(did), material.log or b"", material.witness_file, NOW_S)
    version = next(version for version in log.versions if version.version_id == version_id)
    same_keys(read_document(version.document, did), read_document(expected, did))
    options = ResolutionOptions(version_id=version_id)
    for asked in (options, ResolutionOptions()) if version is log.latest else (options,):
        found = resolve(str(did), material, NOW_S, asked)
        assert isinstance(found, Resolved), found
        assert found.metadata.version_id == version_id
        assert found.metadata.deactivated == metadata.get("deactivated", False)
        assert found.document == (None if found.metadata.deactivated and version is log.latest else version.document)


def same_keys(ours: DidDocument, theirs: DidDocument) -> None:
    assert ours.did == theirs.did
    assert ours.methods == theirs.methods
    assert ours.relationships == theirs.relationships


def refuses(did: str, material: Material, error: str) -> None:
    found = resolve(did, material, NOW_S)
    assert isinstance(found, NotResolved), f"resolved: {found}"
    assert found.code is (ErrorCode.NOT_FOUND if error == "notFound" else ErrorCode.INVALID_DID), found


@judges_area("did-key")
def keys_as_identifiers(area: Area) -> Iterator[Verification]:
    for entry in area.entries:
        for did, case in entry.json().items():
            name = f"{entry.file}: {did}"
            try:
                parse_multikey(parse_did(did).identifier, "did")
            except UnsupportedOperation as error:
                yield Verification(name, lambda: None, unchecked=str(error), of=(entry,))
                continue
            yield Verification(name, partial(same_key, did, case["didDocument"]), of=(entry,))
        reason = "keys to encrypt to are not derived from keys to sign with"
        yield Verification(f"{entry.file}: keyAgreement", lambda: None, unchecked=reason, of=(entry,))


def same_key(did: str, theirs: dict[str, Any]) -> None:
    """The method that the identifier names, with the same key and for the same purposes."""
    found = resolve(did, Material(), NOW_S)
    assert isinstance(found, Resolved), found
    ours = read_document(found.document)
    (method,) = ours.methods
    expected = next(value for value in theirs["verificationMethod"] if value["id"] == method.id)
    assert method.key is not None and multikey_in(expected, did) == write_multikey(method.key)
    for relationship in SIGNING:
        given = theirs.get(relationship.value, [])
        assert ours.relationships[relationship] == (method.id,)
        assert method.id in [value if isinstance(value, str) else value["id"] for value in given], relationship


def multikey_in(method: dict[str, Any], did: str) -> str:
    """Base58 without a prefix says the key's bytes alone, compressed; its algorithm is the identifier's."""
    if "publicKeyJwk" in method:
        return write_multikey(read_jwk(method["publicKeyJwk"], "key"))
    if MULTIBASE_MEMBER in method:
        return method[MULTIBASE_MEMBER]
    raw = decode_base58(method["publicKeyBase58"], "key")
    identifier = parse_did(did).identifier
    assert decode_base58(identifier[1:], "did")[2:] == raw
    return identifier


@judges_area("did-core")
def suite_of_did_core(area: Area) -> Iterator[Verification]:
    """Files of the suite's implementations: documents with their representations, or executions with their outcomes."""
    for entry in area.entries:
        value = entry.json()
        for name, runs in (executions(value) if "executions" in value else documents(value)).items():
            unchecked = runs if isinstance(runs, str) else None
            run = (lambda: None) if isinstance(runs, str) else runs
            yield Verification(f"{entry.file}: {name}", run, unchecked=unchecked, of=(entry,))


def documents(value: dict[str, Any]) -> dict[str, Any]:
    """By name what judges it, or why nothing does."""
    found: dict[str, Any] = {}
    for name, url in (value.get("didParameters") or {}).items():
        found[f"parameter {name}"] = partial(has_parameter, url, name)
    for text, case in value.items():
        if not text.startswith("did:"):
            continue
        did = str(parse_did_url(text).did)
        properties = case["didDocumentDataModel"]["properties"]
        for media_type in value["supportedContentTypes"]:
            key = f"{text} as {media_type}"
            if "cbor" in media_type:
                found[key] = "CBOR is no representation of DID Core 1.1"
            elif media_type in case:
                found[key] = partial(document_reads, did, properties, case[media_type])
    return found


def has_parameter(url: str, name: str) -> None:
    assert name in parse_did_url(url).parameters()


def document_reads(did: str, properties: dict[str, Any], represented: dict[str, Any]) -> None:
    """The bytes say what the data model says; a DID that is its own key gives the same one here."""
    read = read_document(json.loads(represented["representation"]))
    assert str(read.did) == properties["id"]
    same_keys(read, read_document(properties))
    metadata = represented["didDocumentMetadata"]
    for name in ("created", "updated", "nextUpdate"):
        if name in metadata:
            parse_instant_ns(metadata[name], name)
    generated(did, read)


def generated(did: str, theirs: DidDocument) -> None:
    found = resolve(did, Material(), NOW_S)
    if isinstance(found, Resolved):
        (method,) = read_document(found.document).methods
        other = theirs.method(method.id)
        assert other is None or other.key in (None, method.key)


def executions(value: dict[str, Any]) -> dict[str, Any]:
    outcomes = {number: outcome for outcome, numbers in value["expectedOutcomes"].items() for number in numbers}
    found: dict[str, Any] = {}
    for number, execution in enumerate(value["executions"]):
        judge = dereferenced if execution["function"].startswith("dereference") else answered
        found[f"execution {number}"] = judge(execution, outcomes.get(number, "defaultOutcome"), value["executions"])
    return found


def answered(execution: dict[str, Any], outcome: str, _: list[dict[str, Any]]) -> Any:
    """What judges the answer to `resolve` or `resolveRepresentation`."""
    text, output = execution["input"]["did"], execution["output"]
    if outcome == "invalidDidErrorOutcome":
        return partial(refuses, text, Material(), "invalidDid")
    if outcome in ("notFoundErrorOutcome", "representationNotSupportedErrorOutcome"):
        return partial(parse_did, text)
    if "cbor" in output["didResolutionMetadata"].get("contentType", ""):
        return "CBOR is no representation of DID Core 1.1"

    def run() -> None:
        document = output["didDocument"] if "didDocument" in output else json.loads(output["didDocumentStream"])
        theirs = read_document(document, parse_did(text))
        if outcome == "deactivatedOutcome":
            assert output["didDocumentMetadata"]["deactivated"] is True
        generated(text, theirs)

    return run


def dereferenced(execution: dict[str, Any], outcome: str, others: list[dict[str, Any]]) -> Any:
    """What judges the answer to `dereference`: the fragment is in the document that another execution gives."""
    text, output = execution["input"]["didUrl"], execution["output"]
    if outcome == "invalidDidUrlErrorOutcome":
        return partial(is_no_did_url, text)
    if outcome == "notFoundErrorOutcome":
        return partial(parse_did_url, text)
    content, url = json.loads(output["contentStream"]), parse_did_url(text)
    whole = next(
        (json.loads(other["output"]["contentStream"]) for other in others if other["input"]["didUrl"] == str(url.did)),
        None,
    )
    if whole is None:
        return "no execution gives the whole document"
    try:
        document = read_document(whole, url.did)
    except VerificationError as error:
        return f"its document is refused: {error}"

    def run() -> None:
        if url.fragment is None:
            same_keys(read_document(content, url.did), document)
            return
        found = document.method(text)
        assert isinstance(found, VerificationMethod)
        assert found.value.items() <= content.items()

    return run


def is_no_did_url(text: str) -> None:
    try:
        parse_did_url(text)
    except MalformedInput:
        return
    raise AssertionError(f"taken for a DID URL: {text}")
