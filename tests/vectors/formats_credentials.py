"""Strict JSON, JOSE and SD-JWT: what others say of parsers, signatures, keys and whole tokens."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import (
    Algorithm,
    KeySet,
    TrustAnchors,
    VerificationKey,
    decode_base64url,
    encode_base64url,
    judge_header,
    judge_jws,
    key_at,
    read_json,
    read_jwk,
    read_jws,
    read_key_set,
    sign_compact,
    signature_verifies,
    write_json,
)
from hutong.relay.services.identity.rules.jose.certificates import leaf_key_is_p256
from hutong.relay.services.identity.rules.jose.jwe import (
    Encryption,
    agreement_well_formed,
    ciphertext_is_authentic,
    encryption_is_allowed,
    nothing_is_compressed_or_extended,
    read_decryption_key,
    read_jwe,
)
from hutong.relay.services.identity.rules.jose.jws import KeySource
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    CompactSdJwt,
    CredentialDraft,
    Hidden,
    IssuerTrust,
    KeyBindingDemand,
    PresentationPolicy,
    TrustedKeys,
    bind_to_holder,
    judge_presentation,
    judge_sd_jwt,
    pack,
    read_compact,
    select_disclosures,
)
from hutong.relay.services.identity.rules.sd_jwt.disclosures import disclosures_well_formed
from hutong.relay.services.identity.rules.sd_jwt.unpacking import disclosures_unpack
from tests.relay.services.identity.rules.actors import Signer, salts
from tests.vectors.own_lists import Area, judges_area
from tests.vectors.vector_registry import Entry, Group, Verification, runs

JSON_BYTES = 1 << 20
OURS_ALONE = ("repeats the name", "minus zero", "beyond 2^53", "too large for a double", "too small for a double",
              "half a surrogate pair", "more than 64 characters")  # fmt: skip
"""What RFC 8259 takes and a credential must not hold (docs/spec/strictness.md)."""


@judges_area("json-parsing")
def json_parsing(area: Area) -> Iterator[Verification]:
    for entry in area.entries:
        data, expected = entry.bytes(), entry.expected
        if expected.startswith("invalid"):
            yield Verification(entry.file, lambda data=data: read_json(data, "file", JSON_BYTES), False, of=(entry,))
        elif expected.startswith("either"):
            yield Verification(entry.file, lambda data=data: read_json(data, "file", JSON_BYTES), None, of=(entry,))
        elif "must refuse" in expected:
            yield Verification(entry.file, lambda data=data: read_json(data, "file", JSON_BYTES), False, of=(entry,))
        else:
            yield Verification(entry.file, lambda data=data: accepted_or_ours_alone(data), of=(entry,))


def accepted_or_ours_alone(data: bytes) -> None:
    try:
        value = read_json(data, "file", JSON_BYTES)
    except MalformedInput as error:
        assert any(reason in error.reason for reason in OURS_ALONE), error.reason
    else:
        assert value == json.loads(data)


def public(jwk: dict[str, Any]) -> dict[str, Any]:
    """Keys of curves without their secret; symmetric ones stay what they are."""
    return {name: value for name, value in jwk.items() if name != "d" or jwk.get("kty") == "oct"}


def key_document(group: dict[str, Any]) -> bytes:
    given = group.get("public") or group["private"]
    if "keys" in given:
        return json.dumps({"keys": [public(key) for key in given["keys"]]}).encode()
    return json.dumps(public(given)).encode()


def verify_token(document: bytes, token: str) -> None:
    judge_jws(VERIFY, read_jws(token, "token"), frozenset(Algorithm), read_key_set(document, "keys"))


def is_of_our_algorithms(document: bytes, token: str) -> bool:
    """Whether a key says one of them, or says none and is of its curve, and the token does."""
    if any(f'"{algorithm.value}"' in document.decode() for algorithm in Algorithm):
        return True
    try:
        read_key_set(document, "keys")
        return read_jws(token, "token").header.get("alg") in {algorithm.value for algorithm in Algorithm}
    except VerificationError:
        return False


def refused_as_another_algorithm(document: bytes, token: str) -> None:
    """A good token of an algorithm that is not on the list: refused, and for that reason or that of its keys."""
    try:
        verify_token(document, token)
    except PredicateFailed as error:
        assert error.predicate == "algorithm_is_allowed"
    except MalformedInput as error:
        assert any(reason in error.reason for reason in ("symmetric key", "no key of a supported", "base64url")), (
            error.reason
        )
    else:
        raise AssertionError("accepted under an algorithm that is not on the list")


OUR_ENCRYPTIONS = frozenset(("ECDH-ES", encryption.value) for encryption in Encryption)
RECIPIENT = {**Signer(0xEC4).jwk, "d": encode_base64url((0xEC4).to_bytes(32, "big"))}
"""Where a group has no key on P-256: what is encrypted to another kind is refused before any key is used."""


def opened(group: dict[str, Any], token: str) -> bytes:
    """The plaintext by the rules of `judge_jwe`, but for the key's name, which these tokens leave out."""
    given = group.get("private") or {}
    fits = given.get("crv") == "P-256" and "d" in given
    key = read_decryption_key({**(given if fits else RECIPIENT), "kid": "k"})
    jwe = read_jwe(token, "token")
    encryption = encryption_is_allowed(jwe)
    nothing_is_compressed_or_extended(jwe)
    agreement_well_formed(jwe)
    return ciphertext_is_authentic(jwe, key, encryption)


def jwe_case(group: dict[str, Any], case: dict[str, Any], name: str, entry: Entry) -> Verification:
    """A valid token opens where it is of the two ways that are known; every other one is refused."""
    token = case["jwe"] if isinstance(case["jwe"], str) else json.dumps(case["jwe"])
    try:
        header = read_json(decode_base64url(token.split(".")[0], "header", 1 << 11), "header", 1 << 11)
    except MalformedInput:
        header = None
    way = (header.get("alg"), header.get("enc")) if isinstance(header, dict) else None
    if case["result"] != "valid" or way not in OUR_ENCRYPTIONS:
        return Verification(name, lambda: opened(group, token), False, of=(entry,))

    def opens() -> None:
        assert opened(group, token).hex() == case["pt"]

    return Verification(name, opens, of=(entry,))


def jose_cases(entry: Entry, document: dict[str, Any]) -> Iterator[Verification]:
    for group in document["testGroups"]:
        for case in group["tests"]:
            name = f"{entry.file} {case['tcId']} {case['comment']}"
            if "jws" not in case:
                yield jwe_case(group, case, name, entry)
                continue
            keys = key_document(group)
            token = case["jws"] if isinstance(case["jws"], str) else json.dumps(case["jws"])
            if case["result"] != "valid":
                yield Verification(name, lambda keys=keys, token=token: verify_token(keys, token), False, of=(entry,))
            elif is_of_our_algorithms(keys, token):
                yield Verification(name, lambda keys=keys, token=token: verify_token(keys, token), of=(entry,))
            else:
                yield Verification(
                    name, lambda keys=keys, token=token: refused_as_another_algorithm(keys, token), of=(entry,)
                )


def key_of(group: dict[str, Any]) -> VerificationKey:
    """The group's key as JWK, or as a point where it has none."""
    if "publicKeyJwk" in group:
        return read_jwk(group["publicKeyJwk"], "key")
    given = group["publicKey"]
    if "pk" in given:
        return key_at(Algorithm.EDDSA, bytes.fromhex(given["pk"]), "key")
    curves = {
        "secp256r1": Algorithm.ES256,
        "secp256k1": Algorithm.ES256K,
        "secp384r1": Algorithm.ES384,
        "secp521r1": Algorithm.ES512,
    }
    return key_at(curves[given["curve"]], bytes.fromhex(given["uncompressed"][2:]), "key")


def signature_cases(entry: Entry, document: dict[str, Any]) -> Iterator[Verification]:
    for group in document["testGroups"]:
        key = key_of(group)
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            wanted = case["result"] == "valid"
            yield Verification(
                f"{entry.file} {case['tcId']} {case['comment']}",
                lambda key=key, message=message, signature=signature, wanted=wanted: verdict_is(
                    key.verifies(message, signature), wanted
                ),
                of=(entry,),
            )


def verdict_is(found: bool, wanted: bool) -> None:
    assert found is wanted, f"verified: {found}"


@judges_area("wycheproof")
def wycheproof(area: Area) -> Iterator[Verification]:
    for entry in area.entries:
        document = entry.json()
        kinds = {group["type"] for group in document["testGroups"]}
        if kinds <= {"JsonWebSignature", "JsonWebKey", "JsonWebCrypto", "JsonWebEncryption"}:
            yield from jose_cases(entry, document)
        elif kinds <= {"EcdsaP1363Verify", "EddsaVerify"}:
            yield from signature_cases(entry, document)
        else:
            yield Verification(entry.file, lambda: None, unchecked=f"no rule for {sorted(kinds)}", of=(entry,))


@judges_area("p256-solidity")
def p256_lines(area: Area) -> Iterator[Verification]:
    for entry in area.entries:
        for number, line in enumerate(entry.text().splitlines(), 1):
            case = json.loads(line)
            if hashlib.sha256(bytes.fromhex(case["msg"])).hexdigest() != case["hash"]:
                why = "another hash than SHA-256, for a contract alone"
                yield Verification(f"{entry.file}:{number}", lambda: None, unchecked=why, of=(entry,))
                continue
            yield Verification(f"{entry.file}:{number}", lambda case=case: p256_line(case), of=(entry,))


def p256_line(case: dict[str, Any]) -> None:
    signature = bytes.fromhex(case["r"].zfill(64) + case["s"].zfill(64))
    try:
        x, y = (decode_hex_coordinate(case[name]) for name in ("x", "y"))
        key = read_jwk({"kty": "EC", "crv": "P-256", "x": x, "y": y}, "key")
    except VerificationError:
        assert case["valid"] is False
        return
    verdict_is(key.verifies(bytes.fromhex(case["msg"]), signature), case["valid"])


def decode_hex_coordinate(text: str) -> str:
    return encode_base64url(bytes.fromhex(text.zfill(64)))


def payload_of(parts: CompactSdJwt) -> dict[str, Any]:
    return read_jws(parts.issuer_jwt, "credential").claims()


def policy_for(parts: CompactSdJwt, case: dict[str, Any]) -> PresentationPolicy:
    """By what the case says, at the time that its tokens say: none of them is of today."""
    keys = TrustedKeys(KeySet((read_jwk(case["issuer_jwk"], "issuer"),)), payload_of(parts).get("iss"))
    binding, now_s = None, int(payload_of(parts).get("iat", 1_700_000_000))
    if parts.key_binding_jwt:
        said = read_jws(parts.key_binding_jwt, "kb").claims()
        binding = KeyBindingDemand(case.get("kb_aud", said["aud"]), case["kb_nonce"])
        now_s = int(said["iat"])
    return PresentationPolicy(IssuerTrust((keys,)), Clock(now_s), binding)


def whole_token(text: str, case: dict[str, Any]) -> None:
    parts = read_compact(text)
    kind = str(read_jws(parts.issuer_jwt, "credential").header["typ"])
    if kind == "dc+sd-jwt":
        found = judge_presentation(VERIFY, text, policy_for(parts, case)).claims
    else:  # the RFC's own types are none of a credential, so the RFC's rules alone are applied
        found = judge_sd_jwt(VERIFY, parts, policy_for(parts, case), kind).unpacked.claims
    assert found == case["expected_payload"]


def shown_of_issuance(text: str, case: dict[str, Any]) -> None:
    """All disclosures of an issuance unpack, and give what the presentation shows and more."""
    parts = read_compact(text)
    judge_sd_jwt(VERIFY, parts, policy_for(parts, case), "dc+sd-jwt")


def certified_parts(text: str, case: dict[str, Any]) -> None:
    """Signature by the certificate that is sent, and the claims."""
    parts = read_compact(text)
    jws = read_jws(parts.issuer_jwt, "credential")
    certified = leaf_key_is_p256(x509.load_der_x509_certificate(b64decode(jws.header["x5c"][0])))
    algorithm = judge_header(VERIFY, jws, frozenset({Algorithm.ES256}), frozenset({KeySource.X5C}))
    signature_verifies(jws, algorithm, KeySet((certified.key,)))
    signed = disclosures_unpack(jws.claims(), disclosures_well_formed(parts.disclosures)).claims
    decoded = {name: value for name, value in case["decoded_payload"].items() if name not in ("_sd", "_sd_alg")}
    assert decoded.items() <= signed.items()


def refused_with_the_anchor_inside(text: str, pem: str) -> None:
    """Self-signed: HAIP §6.1.1 forbids what the sample does, even where the verifier trusts that very certificate."""
    anchor = x509.load_pem_x509_certificate(pem.encode())
    assert anchor.public_bytes(Encoding.DER)
    trust = IssuerTrust((), TrustAnchors((anchor,)))
    now_s = int(anchor.not_valid_before_utc.timestamp()) + 1
    try:
        judge_presentation(VERIFY, text, PresentationPolicy(trust, Clock(now_s), None))
    except PredicateFailed as error:
        assert error.predicate == "anchor_is_not_sent"
    else:
        raise AssertionError("a trust anchor in x5c was accepted")


@judges_area("sd-jwt")
def whole_tokens(area: Area) -> Iterator[Verification]:
    for entry in area.entries:
        case = entry.json()
        judged = False
        for member in ("sd_jwt", "presentation"):
            if member in case:
                judged = True
                yield Verification(
                    f"{entry.file} {member}", lambda c=case, t=case[member]: whole_token(t, c), of=(entry,)
                )
        if "issuance" in case:
            yield Verification(
                f"{entry.file} issuance", lambda c=case: shown_of_issuance(c["issuance"], c), of=(entry,)
            )
        if "compact_serialisation" in case:
            judged = True
            text = case["compact_serialisation"]
            yield Verification(f"{entry.file} parts", lambda c=case, t=text: certified_parts(t, c), of=(entry,))
            yield Verification(
                f"{entry.file} whole",
                lambda c=case, t=text: refused_with_the_anchor_inside(t, c["issuer_cert_pem"]),
                of=(entry,),
            )
        if not judged:
            yield Verification(entry.file, lambda: None, unchecked="no token in a form that is known", of=(entry,))


class _Sd:
    """`!sd` of a name, an element or a whole value."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Loader(yaml.SafeLoader):
    """With `!sd`; nothing else of Python's."""


def _construct_sd(loader: _Loader, node: yaml.Node) -> _Sd:
    if isinstance(node, yaml.ScalarNode):
        implicit = (node.style is None, node.style is not None)
        plain = yaml.ScalarNode(loader.resolve(yaml.ScalarNode, node.value, implicit), node.value)
        return _Sd(loader.construct_object(plain))
    if isinstance(node, yaml.SequenceNode):
        return _Sd(loader.construct_sequence(node, deep=True))
    return _Sd(loader.construct_mapping(node, deep=True))


_Loader.add_constructor("!sd", _construct_sd)


def claims_of(value: Any) -> Any:
    """The tree with `Hidden` where the document has `!sd`."""
    if isinstance(value, _Sd):
        return Hidden(claims_of(value.value))
    if isinstance(value, dict):
        return {
            (name.value if isinstance(name, _Sd) else name): (
                Hidden(claims_of(member)) if isinstance(name, _Sd) else claims_of(member)
            )
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [claims_of(element) for element in value]
    return value


def chosen(claim: Any, wanted: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths of hidden claims that the holder shows: `wanted` has true, or something for what is inside."""
    if not wanted:
        return
    if isinstance(claim, Hidden):
        yield path
        claim = claim.value
    if isinstance(claim, dict) and isinstance(wanted, dict):
        for name, member in claim.items():
            yield from chosen(member, wanted.get(name), (*path, name))
    if isinstance(claim, list) and isinstance(wanted, list):
        for index, (element, want) in enumerate(zip(claim, wanted, strict=False)):
            yield from chosen(element, want, (*path, index))


def signer_of(jwk: dict[str, Any]) -> Signer:
    return Signer(int.from_bytes(decode_base64url(jwk["d"], "d", 32)))


def issue_and_show(case: dict[str, Any], settings: dict[str, Any]) -> None:
    """Issues, presents what the holder shows, verifies; the claims are those that the case expects."""
    settings = {**settings, **case.get("settings_override", {})}
    keys = settings["key_settings"]
    issuer, holder = signer_of(keys["issuer_keys"][0]), signer_of(keys["holder_key"])
    claims = claims_of(case["user_claims"])
    frame = {"iss": settings["identifiers"]["issuer"], "iat": settings["iat"], "exp": settings["exp"]}
    bound = case.get("key_binding", False)
    if bound:
        frame["cnf"] = {"jwk": holder.jwk}
    decoys = {(): tuple(hashlib.sha256(bytes([n])).hexdigest()[:43] for n in range(3))}
    draft = CredentialDraft({**frame, **claims}, decoys if case.get("add_decoy_claims") else {})
    payload, disclosures = pack(draft, salts())
    header = {"alg": "ES256", "typ": "example+sd-jwt", **case.get("extra_header_parameters", {})}
    if "kid" in header and not isinstance(header["kid"], str):  # RFC 7515 §4.1.4: a text
        bad = sign_compact(header, write_json(payload), issuer.sign)
        refused = CompactSdJwt(bad, (), None)
        with_kid = PresentationPolicy(
            IssuerTrust((TrustedKeys(KeySet((issuer.public,))),)), Clock(settings["iat"]), None
        )
        try:
            judge_sd_jwt(VERIFY, refused, with_kid, "example+sd-jwt")
        except MalformedInput as error:
            assert error.field.endswith("kid")
        else:
            raise AssertionError("a kid that is no text was accepted")
        header["kid"] = str(header["kid"])
    issued = CompactSdJwt(
        sign_compact(header, write_json(payload), issuer.sign), tuple(d.encoded for d in disclosures), None
    )
    shown = select_disclosures(issued, chosen(claims, case.get("holder_disclosed_claims", {})))
    verifier, nonce = settings["identifiers"]["verifier"], settings["key_binding_nonce"]
    if bound:
        shown = bind_to_holder(shown, verifier, nonce, settings["iat"], holder.sign)
    policy = PresentationPolicy(
        IssuerTrust((TrustedKeys(KeySet((issuer.public,)), frame["iss"]),)),
        Clock(settings["iat"]),
        KeyBindingDemand(verifier, nonce) if bound else None,
    )
    found = judge_sd_jwt(VERIFY, read_compact(str(shown)), policy, "example+sd-jwt").unpacked.claims
    assert found == {**frame, **case["expect_verified_user_claims"]}
    if case.get("serialization_format") == "json":
        json_form_is_not_supported(shown)


def json_form_is_not_supported(shown: CompactSdJwt) -> None:
    protected, payload, signature = shown.issuer_jwt.split(".")
    header = {"disclosures": list(shown.disclosures)}
    document = {"payload": payload, "signatures": [{"protected": protected, "signature": signature, "header": header}]}
    try:
        read_compact(json.dumps(document))
    except UnsupportedOperation:
        return
    raise AssertionError("a JSON form was read")


@runs("sd-jwt-testcase-yaml")
def testcase(entry: Entry, group: Group) -> Iterator[Verification]:
    settings = group.with_role("settings")
    assert settings is not None
    case = yaml.load(entry.text(), Loader=_Loader)
    yield Verification("issue, show, verify", lambda: issue_and_show(case, yaml.safe_load(settings.text())))


@runs("sd-jwt-settings-yaml")
def testcase_settings(entry: Entry, group: Group) -> Iterator[Verification]:
    settings = yaml.safe_load(entry.text())
    yield Verification("keys", lambda: signer_of(settings["key_settings"]["issuer_keys"][0]).public)
