"""Area gm: SM3 digests and SM2 signatures. SM4 waits: nothing here encrypts."""

import base64
from collections.abc import Iterator

from hutong.light_clients.crypto import gm
from hutong.light_clients.interface import PredicateFailed
from tests.light_clients.crypto.sm2_reference import Curve
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


def raw_signature(der: bytes) -> bytes:
    """r ‖ s of a SEQUENCE of two INTEGERs."""
    assert der[0] == 0x30 and der[1] == len(der) - 2 and der[2] == 0x02
    first = der[4 : 4 + der[3]]
    second = der[6 + der[3] :]
    return b"".join(half.lstrip(b"\0").rjust(32, b"\0") for half in (first, second))


@runs("sm2-verify-digest-json")
def digest_signatures(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():
        key, digest = public_key_in(case["key_pem_pkcs8"]), bytes.fromhex(case["e"])
        signature = raw_signature(bytes.fromhex(case["signature_der"]))

        def run(key=key, digest=digest, signature=signature):
            required(gm.verify_digest(key, digest, signature))

        yield Verification(case["digest"], run, valid=case["valid"])


SM2P256V1 = Curve(
    gm.FIELD_PRIME,
    gm.FIELD_PRIME - 3,
    gm._B,
    (
        0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
        0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    ),
    gm.ORDER,
)


@runs("sm2-verify-json")
def signatures_over_messages(entry: Entry, group: Group) -> Iterator[Verification]:
    """On sm2p256v1; where the identifier is the standard's the whole judgement is ours, else Z_A is the tests' own."""
    for case in entry.json():
        key = bytes.fromhex(case["public_x"].rjust(64, "0") + case["public_y"].rjust(64, "0"))
        signature = bytes.fromhex(case["r"].rjust(64, "0") + case["s"].rjust(64, "0"))
        message, identifier = bytes.fromhex(case["message_hex"]), case["ident_ascii"].encode()

        def run(key=key, signature=signature, message=message, identifier=identifier):
            public = int.from_bytes(key[:32], "big"), int.from_bytes(key[32:], "big")
            e = SM2P256V1.digest(public, identifier, message).to_bytes(32, "big")
            verdict = gm.verify_digest(key, e, signature)
            if identifier == b"1234567812345678":
                assert gm.verify(key, message, signature) is verdict
            required(verdict)

        yield Verification(case.get("name", case["message_hex"][:40]), run, valid=case["valid"])
