"""Area hpke: RFC 9180, its post-quantum suites, and the request of RFC 9458.

The door opens single messages in mode base, of its own suites. What else the files hold of pyhpke's suites (other modes,
later messages of a context, exports) that library judges alone; what nothing here serves is named and not counted.
"""

from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives import hpke as library_hpke
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

from hutong.light_clients.crypto import hpke
from hutong.light_clients.crypto.hpke.keys import engine_private_key
from hutong.light_clients.interface import PredicateFailed
from tests.vectors.vector_registry import Entry, Group, Verification, runs

BASE = 0
PYHPKE = "pyhpke"
OTHER_KEY = bytes(range(1, 33))


def octets(case: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(case.get(name, ""))


def opened(suite: hpke.Suite, key: hpke.PrivateKey, message: hpke.Sealed, info: bytes, aad: bytes) -> bytes:
    try:
        return hpke.open_sealed(suite, key, message, info=info, aad=aad)
    except hpke.HpkeError as error:
        raise PredicateFailed("hpke_open", str(error)) from None


@runs("hpke-json")
def contexts(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()
    try:
        suite = hpke.Suite.of_numbers(case["kem_id"], case["kdf_id"], case["aead_id"])
    except hpke.SuiteUnsupported as error:
        suite = None
        yield Verification("suite", lambda: None, unchecked=str(error))
    if suite is not None and case["mode"] == BASE:
        yield from by_the_door(suite, case)
    if case["kem_id"] in {kem.value for kem in KEMId} and case["kdf_id"] in {kdf.value for kdf in KDFId}:
        yield from by_pyhpke(case)


def by_the_door(suite: hpke.Suite, case: dict[str, Any]) -> Iterator[Verification]:
    key = hpke.PrivateKey.parse(suite.kem, octets(case, "skRm"))

    def keys():
        assert key.public_key == hpke.PublicKey.parse(suite.kem, octets(case, "pkRm"))

    yield Verification("keys", keys)
    first = first_message(case)
    info, aad, plaintext = octets(case, "info"), octets(first, "aad"), octets(first, "pt")
    message = hpke.Sealed(octets(case, "enc"), octets(first, "ct"))
    if not suite.takes_aad:
        yield from hybrid(suite, key, message, case)
        return

    def opens():
        assert opened(suite, key, message, info, aad) == plaintext

    yield Verification("message 0", opens)
    other = hpke.PrivateKey.parse(suite.kem, OTHER_KEY)
    for name, arguments in {
        "another aad": (key, message, info, aad + b"\0"),
        "another info": (key, message, info + b"\0", aad),
        "another key": (other, message, info, aad),
    }.items():
        yield Verification(name, lambda arguments=arguments: opened(suite, *arguments), valid=False)
    for changed in changed_messages(message):
        yield Verification(
            "a byte changed", lambda changed=changed: opened(suite, key, changed, info, aad), valid=False
        )


def first_message(case: dict[str, Any]) -> dict[str, Any]:
    """Number 0 of its context, which is all that a single message has; unnumbered ones are in order."""
    return next(message for message in case["encryptions"] if message.get("seq", 0) == 0)


def changed_messages(message: hpke.Sealed) -> Iterator[hpke.Sealed]:
    for index in range(len(message.enc)):
        yield hpke.Sealed(flipped(message.enc, index), message.ciphertext)
    for index in range(len(message.ciphertext)):
        yield hpke.Sealed(message.enc, flipped(message.ciphertext, index))


def flipped(data: bytes, index: int) -> bytes:
    return data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]


def hybrid(
    suite: hpke.Suite, key: hpke.PrivateKey, message: hpke.Sealed, case: dict[str, Any]
) -> Iterator[Verification]:
    """Its messages have `aad`, which the library's public functions do not take, nor this door: a private one does."""
    first = first_message(case)
    info, aad, plaintext = octets(case, "info"), octets(first, "aad"), octets(first, "pt")
    engine = library_hpke.Suite(
        library_hpke.KEM.MLKEM768_X25519, library_hpke.KDF.HKDF_SHA256, getattr(library_hpke.AEAD, suite.aead.name)
    )

    def library_opens():
        whole = message.enc + message.ciphertext
        assert openssl.hpke._decrypt_with_aad(engine, whole, engine_private_key(key), info, aad) == plaintext

    yield Verification("message 0", library_opens, library="cryptography, by a private function")
    yield Verification("aad is refused", lambda: opened(suite, key, message, info, aad), valid=False)
    yield Verification("aad left out", lambda: opened(suite, key, message, info, b""), valid=False)
    left = f"{len(case['encryptions']) - 1} later messages and {len(case['exports'])} exports: no engine has contexts of the hybrid"
    yield Verification("contexts", lambda: None, unchecked=left)


def by_pyhpke(case: dict[str, Any]) -> Iterator[Verification]:
    suite = CipherSuite.new(KEMId(case["kem_id"]), KDFId(case["kdf_id"]), AEADId(case["aead_id"]))
    info = octets(case, "info")
    secrets = {"psk": octets(case, "psk"), "psk_id": octets(case, "psk_id")}
    sender, reader, ephemeral = (
        suite.kem.derive_key_pair(octets(case, name)) if name in case else None for name in ("ikmS", "ikmR", "ikmE")
    )
    assert reader is not None

    def both_sides():
        enc, sending = suite.create_sender_context(
            reader.public_key, info, None if sender is None else sender.private_key, eks=ephemeral, **secrets
        )
        assert enc == octets(case, "enc")
        senders_key = None if sender is None else sender.public_key
        return sending, suite.create_recipient_context(enc, reader.private_key, info, senders_key, **secrets)

    def messages():
        sending, receiving = both_sides()
        wanted = {message["seq"]: message for message in case["encryptions"]}
        for number in range(max(wanted, default=-1) + 1):
            message = wanted.get(number, {})
            aad, plaintext = octets(message, "aad"), octets(message, "pt")
            ciphertext = sending.seal(plaintext, aad)
            assert receiving.open(ciphertext, aad) == plaintext
            assert not message or ciphertext == octets(message, "ct")

    if case["encryptions"]:
        yield Verification("every message, sealed and opened", messages, library=PYHPKE)

    def exports():
        for side in both_sides():
            for export in case["exports"]:
                assert side.export(octets(export, "exporter_context"), export["L"]) == octets(export, "exported_value")

    yield Verification("exports", exports, library=PYHPKE)


OHTTP_HEADER_BYTES = 7


@runs("ohttp-example-json")
def oblivious_request(entry: Entry, group: Group) -> Iterator[Verification]:
    """RFC 9458 §4.3: key id and three numbers of the suite, then enc, then the ciphertext; the header is in `info`."""
    case = entry.json()
    request, info = octets(case, "encapsulated_request"), octets(case, "info")
    numbers = [int.from_bytes(request[at : at + 2], "big") for at in (1, 3, 5)]
    suite = hpke.Suite.of_numbers(*numbers)
    key = hpke.PrivateKey.parse(suite.kem, octets(case, "gateway_secret_key"))
    after = OHTTP_HEADER_BYTES + suite.kem.enc_bytes
    message = hpke.Sealed(request[OHTTP_HEADER_BYTES:after], request[after:])

    def opens():
        assert opened(suite, key, message, info, b"") == octets(case, "bhttp_request")

    yield Verification("request", opens)
    yield Verification("another header", lambda: opened(suite, key, message, info + b"\0", b""), valid=False)
    yield Verification("response", lambda: None, unchecked="its key is an export of the context, which no door offers")
