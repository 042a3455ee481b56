"""Area gm: SM3 and HMAC-SM3, SM2 signatures and ciphertexts, SM4 in GCM; its other modes by the block, through SM4-CTR."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from hutong.light_clients.crypto import gm
from hutong.light_clients.interface import PredicateFailed
from tests.light_clients.crypto.gm.sm2_reference import SM2P256V1, Curve
from tests.vectors.vector_registry import Entry, Group, Verification, runs


@runs("sm3-rsp")
def sm3_responses(entry: Entry, group: Group) -> Iterator[Verification]:
    message, bits = b"", 0
    for line in entry.text().splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        if name == "Len":
            bits = int(value)
        elif name == "Msg":
            message = bytes.fromhex(value)[: bits // 8]
        elif name == "MD":

            def run(message=message, expected=bytes.fromhex(value)):
                assert gm.sm3(message) == expected

            yield Verification(f"{bits} bits", run)


@runs("sm3-json")
def sm3_texts(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():

        def run(case=case):
            assert gm.sm3(case["msg"].encode()) == bytes.fromhex(case["sm3"])

        yield Verification(repr(case["msg"]), run)


@contextmanager
def refusals() -> Iterator[None]:
    """What the suite refuses, as the runner knows it."""
    try:
        yield
    except (gm.GmMalformed, gm.GmNotAuthentic) as error:
        raise PredicateFailed(error.field, str(error)) from error


def required(verdict: bool) -> None:
    if not verdict:
        raise PredicateFailed("sm2_signature", "does not verify")


@runs("fisco-sm2-json")
def fisco_signatures(entry: Entry, group: Group) -> Iterator[Verification]:
    """The message is named in words: text -> hash = SM3(text), signed as a message with the default identifier."""
    for case in entry.json():
        text = case["message"].partition(" ")[0].encode()
        digest, key = gm.sm3(text), bytes.fromhex(case["public_xy"])
        signature = bytes.fromhex(case["signature_r_s"])

        def run(key=key, digest=digest, signature=signature):
            required(gm.verify(key, digest, signature))

        yield Verification("signature", run, valid=case["valid"])


@runs("sm2-sign-example-json")
def example_signature(entry: Entry, group: Group) -> Iterator[Verification]:
    """On the standard's sample curve, which no product code has: the tests' own SM2 over any curve computes it."""
    case = entry.json()
    numbers = {name: int(value, 16) for name, value in case["curve_params"].items()}
    curve = Curve(numbers["p"], numbers["a"], numbers["b"], (numbers["gx"], numbers["gy"]), numbers["n"])

    def run():
        private = int(case["private"], 16)
        public = curve.public_key(private)
        e = curve.digest(public, case["ident"].encode(), bytes.fromhex(case["msg"]))
        r, s = curve.sign(private, e, int(case["nonce"], 16))
        assert curve.hash_of(r, s).hex().upper() == case["signature_r_s"]
        assert curve.verify(public, e, r, s)

    yield Verification("signature with the given nonce", run, library="the tests' own SM2")


def public_key_in(key_pkcs8: str) -> bytes:
    """x ‖ y at the end of a PKCS#8 private key with its public one (BIT STRING of 04 ‖ x ‖ y)."""
    der = base64.b64decode("".join(line for line in key_pkcs8.splitlines() if not line.startswith("-")))
    assert der[-67:-64] == b"\x42\x00\x04"
    return der[-64:]


@runs("sm2-verify-digest-json")
def digest_signatures(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():
        key, digest = public_key_in(case["key_pem_pkcs8"]), bytes.fromhex(case["e"])
        encoded = bytes.fromhex(case["signature_der"])

        def run(key=key, digest=digest, encoded=encoded):
            with refusals():
                signature = gm.signature_from_der(encoded)
            assert gm.signature_to_der(signature) == encoded
            required(gm.verify_digest(key, digest, signature))

        yield Verification(case["digest"], run, valid=case["valid"])


@runs("sm2-verify-json")
def signatures_over_messages(entry: Entry, group: Group) -> Iterator[Verification]:
    """On sm2p256v1, under the identifier of the case."""
    for case in entry.json():
        key = bytes.fromhex(case["public_x"].rjust(64, "0") + case["public_y"].rjust(64, "0"))
        signature = bytes.fromhex(case["r"].rjust(64, "0") + case["s"].rjust(64, "0"))
        message, identifier = bytes.fromhex(case["message_hex"]), case["ident_ascii"].encode()

        def run(key=key, signature=signature, message=message, identifier=identifier):
            public = int.from_bytes(key[:32], "big"), int.from_bytes(key[32:], "big")
            e = SM2P256V1.digest(public, identifier, message).to_bytes(32, "big")
            verdict = gm.verify(key, message, signature, identifier)
            assert gm.verify_digest(key, e, signature) is verdict
            required(verdict)

        yield Verification(case.get("name", case["message_hex"][:40]), run, valid=case["valid"])


def private_key_in(key_pkcs8: str) -> bytes:
    """The 32 bytes in front of the public key of `public_key_in`."""
    der = base64.b64decode("".join(line for line in key_pkcs8.splitlines() if not line.startswith("-")))
    assert der[-104:-102] == b"\x04\x20"
    return der[-102:-70]


@runs("sm2-sign-json")
def worked_signature(entry: Entry, group: Group) -> Iterator[Verification]:
    """Every number of the standard's example; the nonce is the tests' own SM2's alone, since no engine takes one."""
    case = entry.json()
    key = bytes.fromhex(case["public_x"] + case["public_y"])
    signature, e = bytes.fromhex(case["r"] + case["s"]), bytes.fromhex(case["e"])
    message, identifier = bytes.fromhex(case["message_hex"]), case["ident_ascii"].encode()
    private = int(case["private"], 16)

    def signed_with_the_nonce():
        assert SM2P256V1.hash_of(*SM2P256V1.public_key(private)) == key
        assert SM2P256V1.digest(SM2P256V1.public_key(private), identifier, message).to_bytes(32, "big") == e
        assert gm.sm3(bytes.fromhex(case["z_a"]) + message) == e
        made = SM2P256V1.sign(private, int.from_bytes(e, "big"), int(case["nonce"], 16))
        assert SM2P256V1.hash_of(*made) == signature

    yield Verification("signature with the given nonce", signed_with_the_nonce, library="the tests' own SM2")
    yield Verification("over the message", lambda: required(gm.verify(key, message, signature, identifier)))
    yield Verification("over the digest", lambda: required(gm.verify_digest(key, e, signature)))

    def signed_again():
        pair = gm.KeyPair(private.to_bytes(32, "big"), key)
        required(gm.verify(key, message, gm.sign(pair, message, identifier), identifier))

    yield Verification("a signature of our own", signed_again)


@runs("sm2-decrypt-json")
def ciphertexts(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():
        key, encoded = private_key_in(case["key_pem_pkcs8"]), bytes.fromhex(case["ciphertext_der"])
        expected = case["plaintext_ascii"].encode()

        def run(key=key, encoded=encoded, expected=expected):
            with refusals():
                ciphertext = gm.ciphertext_from_der(encoded)
                assert gm.decrypt(key, ciphertext) == expected
            assert gm.ciphertext_to_der(ciphertext) == encoded

        yield Verification("ciphertext", run, valid=case.get("valid", True))

        def of_our_own(key=key, public=public_key_in(case["key_pem_pkcs8"]), expected=expected):
            assert gm.decrypt(key, gm.encrypt(public, expected)) == expected

        yield Verification("a ciphertext of our own", of_our_own)


def block(key: bytes, data: bytes) -> bytes:
    """SM4 of one block: what counter mode adds to zeros."""
    return gm.ctr_transform(key, data, bytes(16))


def xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=True))


def by_the_block(mode: str, key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """ECB, CBC and CFB of whole blocks, from the cipher alone: nothing here offers these modes."""
    found, last = [], iv
    for at in range(0, len(plaintext), 16):
        part = plaintext[at : at + 16]
        match mode:
            case "ecb":
                last = block(key, part)
            case "cbc":
                last = block(key, xor(part, last))
            case _:
                last = xor(block(key, last), part)
        found.append(last)
    return b"".join(found)


def rsp_cases(text: str) -> Iterator[dict[str, bytes]]:
    """NAME = hex, a case from each COUNT on."""
    case: dict[str, bytes] = {}
    for line in text.splitlines():
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or name.startswith("#"):
            continue
        if name == "COUNT":
            if case:
                yield case
            case = {}
        else:
            case[name] = bytes.fromhex(value)
    if case:
        yield case


@runs("sm4-rsp")
def sm4_responses(entry: Entry, group: Group) -> Iterator[Verification]:
    mode = entry.params["mode"]
    for number, case in enumerate(rsp_cases(entry.text())):

        def run(case=case):
            key, iv, plaintext, expected = (case.get(n, b"") for n in ("KEY", "IV", "PLAINTEXT", "CIPHERTEXT"))
            match mode:
                case "gcm":
                    sealed = expected + case["TAG"]
                    assert gm.gcm_seal(key, iv, case["AAD"], plaintext) == sealed
                    assert gm.gcm_open(key, iv, case["AAD"], sealed) == plaintext
                case "ctr":
                    assert gm.ctr_transform(key, iv, plaintext) == expected
                    assert gm.ctr_transform(key, iv, expected) == plaintext
                case "ecb" | "cbc" | "cfb":
                    assert by_the_block(mode, key, iv, plaintext) == expected
                case _:
                    raise AssertionError(f"mode {mode}")

        yield Verification(f"{mode} {number}", run)


@runs("wycheproof-hmacsm3")
def wycheproof_codes(entry: Entry, group: Group) -> Iterator[Verification]:
    for tests in entry.json()["testGroups"]:
        for case in tests["tests"]:
            tag = bytes.fromhex(case["tag"])

            def run(case=case, tag=tag, size=tests["tagSize"] // 8):
                code = gm.hmac_sm3(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]))
                required(len(tag) == size and code[:size] == tag)

            yield Verification(f"{case['tcId']} {case['comment']}", run, valid=case["result"] == "valid")


@runs("wycheproof-sm4-gcm")
def wycheproof_seals(entry: Entry, group: Group) -> Iterator[Verification]:
    """Stricter than the suite: nonces below 12 bytes, which it calls weak, and above 64 are refused."""
    for tests in entry.json()["testGroups"]:
        for case in tests["tests"]:
            sizes_fit = 12 <= tests["ivSize"] // 8 <= 64

            def run(case=case):
                names = ("key", "iv", "aad", "msg", "ct", "tag")
                key, nonce, aad, text, ciphertext, tag = (bytes.fromhex(case[name]) for name in names)
                with refusals():
                    assert gm.gcm_open(key, nonce, aad, ciphertext + tag) == text
                assert gm.gcm_seal(key, nonce, aad, text) == ciphertext + tag

            yield Verification(f"{case['tcId']} {case['comment']}", run, valid=case["result"] == "valid" and sizes_fit)
