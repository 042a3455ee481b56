"""Area token-status-list: lists with every status that is not 0, as JSON and as CBOR, and a token with its key."""

import json
from collections.abc import Iterator

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import KeySet, read_jwk, read_jws
from hutong.relay.services.identity.rules.sd_jwt import Clock, IssuerTrust, TrustedKeys
from hutong.relay.services.identity.rules.status import (
    ListDemand,
    Statuses,
    StatusReference,
    compressed_list_is_whole,
    judge_list,
    judge_status,
    status_at,
)
from hutong.relay.services.identity.rules.status.inflating import Wrapping, inflate
from hutong.relay.services.identity.rules.status.statuses import MAX_STATUS_BYTES
from tests.vectors.own_lists import Area, judges_area
from tests.vectors.vector_registry import Entry, Verification


def cbor_map(data: bytes) -> dict[str, int | bytes]:
    """A CBOR map of texts to small integers and byte strings (RFC 8949 §3): all that a status list in CBOR is."""

    def head(at: int) -> tuple[int, int, int]:
        major, short = data[at] >> 5, data[at] & 31
        size = {24: 1, 25: 2, 26: 4}.get(short, 0)
        return major, int.from_bytes(data[at + 1 : at + 1 + size], "big") if size else short, at + 1 + size

    major, count, at = head(0)
    assert major == 5
    found: dict[str, int | bytes] = {}
    for _ in range(count):
        _, length, at = head(at)
        name, at = data[at : at + length].decode(), at + length
        major, value, at = head(at)
        if major == 2:
            found[name], at = data[at : at + value], at + value
        else:
            found[name] = value
    assert at == len(data)
    return found


def statuses_of(case: dict) -> Statuses:
    if "status_list" in case:
        return compressed_list_is_whole(case["status_list"])
    found = cbor_map(bytes.fromhex(case["status_list_cbor_hex"]))
    return Statuses(found["bits"], inflate(found["lst"], "lst", MAX_STATUS_BYTES, Wrapping.ZLIB))


def all_statuses(statuses: Statuses) -> dict[int, int]:
    """Every status that is not 0, by index: read off each byte, so that all of a million are compared."""
    per_byte, mask = 8 // statuses.bits, (1 << statuses.bits) - 1
    return {
        at * per_byte + place: byte >> place * statuses.bits & mask
        for at, byte in enumerate(statuses.octets)
        if byte
        for place in range(per_byte)
        if byte >> place * statuses.bits & mask
    }


@judges_area("token-status-list")
def token_status_lists(area: Area) -> Iterator[Verification]:
    for entry in area.entries:
        case = entry.json()
        if "token" in case:
            yield from token(entry, case)
            continue

        def run(case=case):
            statuses = statuses_of(case)
            assert (statuses.bits, statuses.size) == (case["bits"], case["size"])
            assert all_statuses(statuses) == {int(index): value for index, value in case["status"].items()}

        yield Verification(entry.file, run, entry.expected.startswith("valid"), of=(entry,))


def token(entry: Entry, case: dict) -> Iterator[Verification]:
    """The draft's example, judged a second after it was signed by the key beside it; its statuses are told in no field."""
    text, key = case["token"], case["public_key_jwk"]
    payload = read_jws(text, "token").claims()
    demand = ListDemand(IssuerTrust((TrustedKeys(KeySet((read_jwk(key, "key"),))),)), Clock(payload["iat"] + 1))

    def run(text=text, demand=demand):
        claims, _ = judge_list(VERIFY, text, payload["sub"], demand)
        decoded = case["decoded"].split("\n.\n")
        assert read_jws(text, "token").header == json.loads(decoded[0])
        assert all(payload[name] == value for name, value in json.loads(decoded[1]).items())
        assert claims.statuses.size >= 8 // claims.statuses.bits
        for index in range(claims.statuses.size):
            reference = StatusReference(payload["sub"], index)
            assert judge_status(VERIFY, text, reference, demand).status == status_at(claims.statuses, index)

    yield Verification(entry.file, run, of=(entry,))
    header, body, signature = text.split(".")
    forged = f"{header}.{body}.{signature[:-4]}{'AAAA' if signature[-4:] != 'AAAA' else 'BAAA'}"
    yield Verification(
        f"{entry.file}: another signature",
        lambda: judge_list(VERIFY, forged, payload["sub"], demand),
        valid=False,
        of=(entry,),
    )
