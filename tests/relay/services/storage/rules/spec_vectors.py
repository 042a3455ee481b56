"""The vectors of docs/spec/storage-*.md, made without the code that they judge: hashlib, AES of PyCryptodome, BLAKE3, text-book sums.

python -m tests.relay.services.storage.rules.spec_vectors PAGE      prints those of one page
python -m tests.relay.services.storage.rules.spec_vectors --write   puts all into their pages
"""

import hmac
import json
import sys
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from blake3 import blake3
from Crypto.Cipher import AES
from Crypto.Util import Counter
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data

from tests.light_clients.crypto import erasure_reference
from tests.relay.services.storage.rules.held import named, octets

PAGES = Path(__file__).resolve().parents[5] / "docs" / "spec"
KIB = 1_024


def be(number: int, size: int) -> bytes:
    return number.to_bytes(size, "big")


def leaf(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def path(at: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if at < split:
        return [*path(at, leaves[:split]), root(leaves[split:])]
    return [*path(at - split, leaves[split:]), root(leaves[:split])]


def leaves_of(shard: bytes) -> list[bytes]:
    return [leaf(shard[at : at + KIB]) for at in range(0, len(shard), KIB)]


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return hmac.digest(hmac.digest(salt, secret, "sha256"), info + b"\1", "sha256")


def masked(key: bytes, shard: bytes) -> bytes:
    return AES.new(key, AES.MODE_CTR, counter=Counter.new(128, initial_value=0)).encrypt(shard)


def coded(data: Sequence[bytes], parity: int) -> list[bytes]:
    """Parity by tables of products: the reference's own sums, a thousand times faster."""
    made = []
    for row in range(len(data), len(data) + parity):
        total = 0
        for factor, shard in zip(erasure_reference.cauchy_row(len(data), row), data, strict=True):
            table = bytes(erasure_reference.product(factor, octet) for octet in range(256))
            total ^= int.from_bytes(shard.translate(table), "big")
        made.append(be(total, len(data[0])))
    return made


def body_of(data: int, parity: int, height: int, sections: Sequence[tuple[int, bytes]]) -> bytes:
    rows, at = b"", 0
    for kind, held in sections:
        rows += bytes([kind]) + be(at, 4) + be(len(held), 4) + sha256(held).digest()
        at += len(held)
    tail = rows + b"HUTPACK\1" + bytes([data, parity, height, 0]) + be(len(sections), 4)
    return b"".join(held for _, held in sections).ljust(data * KIB * 2**height - len(tail), b"\0") + tail


def pack(data: int, parity: int, height: int, sections: Sequence[tuple[int, str, int]]) -> dict[str, Any]:
    body = body_of(data, parity, height, [(kind, octets(text, size)) for kind, text, size in sections])
    shard_bytes = KIB * 2**height
    plain = [body[at : at + shard_bytes] for at in range(0, len(body), shard_bytes)]
    name = blake3(body, derive_key_context="hutong storage 2026-11-30 pack name v1").digest()
    secret = named("repair root")
    pack_key = hkdf(secret, name, b"hutong/storage/pack mask/1")
    keys = [hkdf(pack_key, bytes(32), b"hutong/storage/shard mask/1" + bytes([at])) for at in range(data + parity)]
    shards = [masked(key, shard) for key, shard in zip(keys, [*plain, *coded(plain, parity)], strict=True)]
    spans = [leaves_of(shards[-1][at : at + 64 * KIB]) for at in range(0, shard_bytes, 64 * KIB)]
    return {
        "data": data,
        "parity": parity,
        "height": height,
        "sections": [{"kind": kind, "text": text, "length": size} for kind, text, size in sections],
        "tail": body[-16 - 41 * len(sections) :].hex(),
        "body_sha256": sha256(body).hexdigest(),
        "name": name.hex(),
        "repair_root": secret.hex(),
        "pack_mask_key": pack_key.hex(),
        "shard_mask_key_of_last": keys[-1].hex(),
        "masked_sha256": [sha256(shard).hexdigest() for shard in shards],
        "roots": [root(leaves_of(shard)).hex() for shard in shards],
        "outboard_of_last": b"".join(map(root, spans)).hex(),
    }


def packs() -> Any:
    small = [(1, "section one", 700), (2, "section two", 333), (3, "section three", 1)]
    return [pack(2, 1, 0, small), pack(10, 4, 7, [(1, "a larger section", 700_001), (2, "a manifest", 546)])]


Shard = tuple[str, int, str, int, int]
BATCHES: tuple[tuple[Shard, ...], ...] = (
    (("pack a", 0, "shard a", 2, 0), ("pack b", 13, "shard b", 0, 1_900_000_000)),
    (("pack c", 3, "shard c", 7, 0),),
    (("pack d", 1, "shard d", 1, 0), ("pack e", 2, "shard e", 1, 0), ("pack f", 63, "shard f", 3, 2**64 - 1)),
)


def batch_entries(batch: Sequence[Shard]) -> tuple[list[bytes], int]:
    """Encodings, and the leaves of all."""
    encoded, first = [], 0
    for pack_text, number, text, height, retain in batch:
        shard_root = root(leaves_of(octets(text, KIB << height)))
        encoded.append(
            b"\1" + be(first, 8) + bytes([height]) + named(pack_text) + bytes([number]) + shard_root + be(retain, 8)
        )
        first += 1 << height
    return encoded, first


@cache
def operator_log() -> tuple[list[list[bytes]], list[bytes], list[int]]:
    """Entries of each batch, entries of the log, and where each batch begins."""
    batches, log, firsts, first = [], [], [], 0
    for number, batch in enumerate(BATCHES):
        encoded, leaves = batch_entries(batch)
        batches.append(encoded)
        firsts.append(first)
        log.append(
            b"\2"
            + be(first, 8)
            + be(leaves, 8)
            + be(len(batch), 4)
            + be(40 + number, 8)
            + root([leaf(e) for e in encoded])
        )
        first += leaves
    return batches, log, [*firsts, first]


def placed(batch: int, entry: int) -> bytes:
    batches, log, _ = operator_log()
    low = path(entry, [leaf(e) for e in batches[batch]])
    high = path(batch, [leaf(e) for e in log])
    return be(entry, 2) + be(batch, 4) + batches[batch][entry] + log[batch] + b"".join(low + high)


def sets() -> Any:
    batches, log, firsts = operator_log()
    return {
        "batches": [
            [
                {"pack": p, "shard": n, "bytes": t, "height": h, "retain_until": r, "encoded": encoded.hex()}
                for (p, n, t, h, r), encoded in zip(batch, entries, strict=True)
            ]
            for batch, entries in zip(BATCHES, batches, strict=True)
        ],
        "log": [entry.hex() for entry in log],
        "set": {"root": root([leaf(e) for e in log]).hex(), "size": len(log), "leaves": firsts[-1]},
        "placed": [{"batch": b, "entry": e, "encoded": placed(b, e).hex()} for b, e in ((0, 1), (1, 0), (2, 2))],
    }


def answer_of(at: int) -> bytes:
    _, _, firsts = operator_log()
    batch = max(number for number, first in enumerate(firsts[:-1]) if first <= at)
    within = at - firsts[batch]
    for entry, (_, _, text, height, _) in enumerate(BATCHES[batch]):
        if within < 1 << height:
            shard = octets(text, KIB << height)
            siblings = b"".join(path(within, leaves_of(shard)))
            return b"\1" + placed(batch, entry) + be(within, 2) + shard[within * KIB : (within + 1) * KIB] + siblings
        within -= 1 << height
    raise AssertionError(at)


def audits() -> Any:
    hub = sha256(b"hutong/storage/hub/1" + b"hutong-1").digest()
    epoch, header, operator = 7, named("header"), named("operator")
    auditors = sorted(named(f"auditor {number}") for number in range(3))
    secrets = [named(f"secret {number}") for number in range(3)]
    commitments = [
        sha256(b"hutong/storage/secret/1" + hub + auditor + be(epoch, 8) + secret).digest()
        for auditor, secret in zip(auditors, secrets, strict=True)
    ]
    said = [b"\1" + secrets[0], b"\0" + commitments[1], b"\1" + secrets[2]]
    seed = sha256(b"hutong/storage/seed/1" + hub + be(epoch, 8) + header + b"\3" + b"".join(said)).digest()
    _, log, firsts = operator_log()
    set_root = root([leaf(e) for e in log])

    def drawn(number: int) -> int:
        octets_drawn = sha256(b"hutong/storage/probe/1" + seed + operator + set_root + be(number, 4)).digest()
        return int.from_bytes(octets_drawn, "big") % firsts[-1]

    return {
        "chain_id": "hutong-1",
        "hub": hub.hex(),
        "epoch": epoch,
        "header": header.hex(),
        "auditors": [auditor.hex() for auditor in auditors],
        "secrets": [secret.hex() for secret in secrets],
        "commitments": [commitment.hex() for commitment in commitments],
        "withheld": [1],
        "seed": seed.hex(),
        "operator": operator.hex(),
        "probes": [drawn(number) for number in range(16)],
        "answers_sha256": [sha256(answer_of(drawn(number))).hexdigest() for number in range(16)],
        "answer_to_0": answer_of(drawn(0)).hex(),
    }


STRUCTS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    (
        (
            "ShardReceipt(bytes32 hub,bytes32 operator,bytes32 pack,uint8 shard,uint8 height,bytes32 root,"
            "uint64 retainUntil,bytes32 engineTag,uint64 storedAt)"
        ),
        (
            named("hub"),
            named("operator"),
            named("pack"),
            13,
            7,
            named("root"),
            1_900_000_000,
            named("tag"),
            1_800_000_000,
        ),
    ),
    (
        "OperatorPart(bytes32 hub,bytes32 writer,uint64 sequence,bytes32 operator,uint64 leaves,uint32 entries,bytes32 root)",
        (named("hub"), named("writer"), 5, named("operator"), 12, 3, named("batch root")),
    ),
    (
        "WriterBatch(bytes32 hub,bytes32 writer,uint64 sequence,bytes32 parts)",
        (named("hub"), named("writer"), 5, named("parts")),
    ),
    (
        "ProbeAnswers(bytes32 hub,bytes32 operator,uint64 epoch,uint32 first,uint32 count,bytes32 answers)",
        (named("hub"), named("operator"), 7, 64, 32, named("answers")),
    ),
    (
        "PackRemoval(bytes32 hub,bytes32 writer,bytes32 pack,uint64 shards)",
        (named("hub"), named("writer"), named("pack"), 2**63 + 5),
    ),
    (
        "DeletionReceipt(bytes32 hub,bytes32 operator,bytes32 pack,uint8 shard,bytes32 root,uint64 deletedAt)",
        (named("hub"), named("operator"), named("pack"), 63, named("root"), 1_900_000_001),
    ),
)


def eip712_digest(type_text: str, values: Sequence[Any]) -> bytes:
    """As eth-account has it."""
    name, _, members = type_text.rstrip(")").partition("(")
    fields = [{"type": kind, "name": field} for kind, field in (member.split() for member in members.split(","))]
    message = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}],
            name: fields,
        },
        "primaryType": name,
        "domain": {"name": "hutong storage", "version": "1"},
        "message": {field["name"]: value for field, value in zip(fields, values, strict=True)},
    }
    return bytes(_hash_eip191_message(encode_typed_data(full_message=message)))


def lifecycle() -> Any:
    return [
        {
            "type": type_text,
            "members": [value.hex() if isinstance(value, bytes) else value for value in values],
            "digest": eip712_digest(type_text, values).hex(),
        }
        for type_text, values in STRUCTS
    ]


ACCESS = "StorageAccess(bytes32 hub,bytes32 writer,bytes32 operator,uint8 rights,uint64 notAfter)"


def operator_api() -> Any:
    """A token: its struct hashed and signed by eth-account, its bytes joined by hand."""
    hub, writer, operator = sha256(b"hutong/storage/hub/1hutong-1").digest(), named("a writer"), named("operator")
    key, rights, not_after = bytes([1]) * 32, 3, 1_900_000_000
    digest = eip712_digest(ACCESS, (hub, writer, operator, rights, not_after))
    signature = bytes(Account.unsafe_sign_hash(digest, key).signature)
    token = urlsafe_b64encode(b"\1" + writer + be(rights, 1) + be(not_after, 8) + signature).decode().rstrip("=")
    return {
        "hub": hub.hex(),
        "writer": writer.hex(),
        "operator": operator.hex(),
        "rights": rights,
        "not_after": not_after,
        "account": Account.from_key(key).address[2:].lower(),
        "digest": digest.hex(),
        "token": token,
    }


def cbor(value: Any) -> bytes:
    """Whole numbers, bytes, text, lists and maps, in canonical form (RFC 8949, section 4.2.3)."""

    def head(major: int, number: int) -> bytes:
        if number < 24:
            return bytes([major << 5 | number])
        width = next(width for width in (1, 2, 4, 8) if number < 256**width)
        return bytes([major << 5 | 23 + (1, 2, 4, 8).index(width) + 1]) + be(number, width)

    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda entry: (len(entry[0]), entry[0]))
        return head(5, len(value)) + b"".join(cbor(key) + cbor(held) for key, held in ordered)
    return head(0, value)


def manifest(
    size: int, sealed: int, packs_of: Sequence[tuple[str, int, int, int]], extents: list[list[int]], retain: int
) -> dict[str, Any]:
    fields = {
        "v": 1,
        "hash": named("content"),
        "seal": sealed,
        "size": size,
        "packs": [
            [named(name), data, parity, height, b"".join(named(f"{name} root {at}") for at in range(data + parity))]
            for name, data, parity, height in packs_of
        ],
        "policy": [4, 4, 2],
        "retain": retain,
        "extents": extents,
    }
    octets_of = cbor(fields)
    id_octets = b"\x01\x71\x12\x20" + sha256(octets_of).digest()
    return {
        "size": size,
        "seal": sealed,
        "packs": [list(one) for one in packs_of],
        "extents": extents,
        "retain": retain,
        "encoded": octets_of.hex(),
        "id": "b" + b32encode(id_octets).decode().lower().rstrip("="),
    }


def sealed_object(size: int) -> dict[str, Any]:
    data_key, content = named("data key"), octets("sealed content", size)
    key = hkdf(data_key, bytes(32), b"hutong/storage/seal/1")
    count = max(1, -(-size // 65_536))
    records = b""
    for number in range(count):
        nonce = bytes(7) + be(number, 4) + bytes([number == count - 1])
        cut = content[number * 65_536 : (number + 1) * 65_536]
        records += b"".join(AES.new(key, AES.MODE_GCM, nonce=nonce).encrypt_and_digest(cut))
    hash_key = hkdf(data_key, bytes(32), b"hutong/storage/content hash/1")
    return {
        "size": size,
        "sealed_bytes": len(records),
        "sealed_sha256": sha256(records).hexdigest(),
        "last_16": records[-16:].hex(),
        "content_hash": blake3(content, key=hash_key).hexdigest(),
        "plain_hash": blake3(content).hexdigest(),
    }


def manifests() -> Any:
    large, small = ("pack one", 10, 4, 13), ("pack two", 10, 4, 0)
    return {
        "manifests": [
            manifest(0, 0, [], [], 0),
            manifest(9_016, 0, [large], [[0, 0, 9_016]], 1_900_000_000),
            manifest(9_000, 1, [large, small], [[0, 100, 5_000], [1, 0, 4_000], [0, 0, 16]], 0),
        ],
        "data_key": named("data key").hex(),
        "sealed": [sealed_object(size) for size in (0, 1, 65_536, 65_537)],
    }


def word(value: int | bytes) -> bytes:
    return value.rjust(32, b"\0") if isinstance(value, bytes) else be(value, 32)


def label(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


ACCOUNT = bytes(range(20))


RECORDS: tuple[tuple[str, bytes, tuple[int | bytes, ...]], ...] = (
    ("set", b"storage/set/" + named("operator") + be(7, 8), (named("set root"), 3, 149, 480)),
    ("seed", b"storage/seed/" + be(7, 8), (named("seed"), named("header"), 500, 1_800_000_300, 459, 2, 3)),
    (
        "verdict",
        b"storage/verdict/" + named("operator") + be(7, 8),
        (1, 459, 458, 1, 2, named("seed"), named("set root"), 510, 1_800_000_100),
    ),
    ("removal", b"storage/removal/" + be(40, 8) + named("pack"), (2**63 + 1, 490, 1_799_999_999)),
    ("hold", b"storage/hold/" + named("pack"), (1_900_000_000,)),
    (
        "operator",
        b"storage/operator/" + named("operator"),
        (ACCOUNT, label("museum"), label("cellar-2"), label("north"), label("versitygw"), 100, 2, 12, 1_799_000_000),
    ),
    ("party", b"storage/party/\2" + named("auditor"), (ACCOUNT, 13, 1_799_000_001)),
    (
        "batch",
        b"storage/batch/" + be(40, 8),
        (named("writer"), named("writer"), 5, 2, 4_095, named("parts"), 14, 0x3FFB, 470, 1_799_000_500),
    ),
    (
        "secret",
        b"storage/secret/" + be(7, 8) + named("auditor"),
        (named("commitment"), named("secret"), 3, 1 + 32, 490, 500),
    ),
    ("clock", b"storage/clock", (7, 3, 484, 1_799_999_000, 500, named("header"), 1_799_999_900, 1_800_000_300)),
    ("answered", b"storage/answered/" + named("operator"), (7, 63, 1)),
    ("ledger", b"storage/ledger/" + named("operator"), (364, 1, 0, 2, 2**40, 2**50, 7)),
    ("parameters", b"storage/parameters", (86_400, 16, 300, 300, 64, 459, 7, 10, 4, 0)),
)


def dynamic_records() -> list[dict[str, Any]]:
    """Of a struct that ends in an array: an offset of the struct, one of the array, its length, its words."""
    candidate = (named("operator"), label("museum"), label("cellar-2"), 100)
    mapped = (32, 470, 1_799_000_400, 10, 4, 5 * 32, 1, *candidate)
    logged = (32, 3, 149, 3 * 32, 2, named("peak of two"), named("peak of one"))
    keys = (("map", b"storage/map/" + be(2, 8), mapped), ("log", b"storage/log/" + named("operator"), logged))
    return [
        {"record": kind, "key": key.hex(), "value": (b"\1" + b"".join(map(word, words))).hex()}
        for kind, key, words in keys
    ]


def padded(octets_of: bytes) -> bytes:
    return word(len(octets_of)) + octets_of.ljust(-(-len(octets_of) // 32) * 32, b"\0")


def audit_file() -> bytes:
    """ABI by hand: a struct with three dynamic members after five words and three offsets."""
    parts = [padded(b"answers"), padded(bytes(range(65))), padded(b"records")]
    offsets = [8 * 32 + sum(map(len, parts[:at])) for at in range(3)]
    return b"".join(map(word, (32, 1, named("operator"), 7, 64, 2, *offsets))) + b"".join(parts)


def records() -> Any:
    return {
        "records": [
            {
                "record": kind,
                "key": key.hex(),
                "members": [value.hex() if isinstance(value, bytes) else value for value in members],
                "value": (b"\1" + b"".join(map(word, members))).hex(),
            }
            for kind, key, members in RECORDS
        ],
        "records_with_lists": dynamic_records(),
        "audit_file": audit_file().hex(),
    }


def minus_log2(drawn: int) -> int:
    """As the page says it, with rational squares in the place of shifts."""
    whole = drawn.bit_length() - 1
    scaled, fraction = drawn * 2 ** (64 - whole), 0
    for _ in range(32):
        scaled = scaled**2 // 2**64
        bit = int(scaled >= 2**65)
        fraction, scaled = fraction * 2 + bit, scaled // 2 if bit else scaled
    return 64 * 2**32 - whole * 2**32 - fraction


def placements() -> Any:
    """Eighteen candidates of five organisations at four sites; each group's operators by the plain rule alone."""
    hub, rows = sha256(b"hutong/storage/hub/1hutong-1").digest(), []
    candidates = [
        {
            "operator": named(f"operator {at}").hex(),
            "organisation": f"o{at % 5}",
            "site": f"s{at % 4}",
            "weight": 1 + at % 3,
        }
        for at in range(18)
    ]
    for group in (0, 1, 2_048, 4_095):
        scores = []
        for at, one in enumerate(candidates):
            drawn = sha256(b"hutong/storage/place/1" + be(group, 2) + bytes.fromhex(str(one["operator"]))).digest()[:8]
            scores.append((minus_log2(int.from_bytes(drawn, "big") + 1) * 2**32 // int(one["weight"]), at))
        placed: list[int] = []
        for _, at in sorted(scores):
            same = [candidates[other] for other in placed]
            if len(placed) < 14 and all(
                sum(other[name] == candidates[at][name] for other in same) < 4 for name in ("organisation", "site")
            ):
                placed.append(at)
        rows.append({"group": group, "scores": [value for value, _ in scores], "placed": placed})
    groups = [
        {
            "sequence": sequence,
            "group": int.from_bytes(
                sha256(b"hutong/storage/group/1" + hub + named("writer") + be(sequence, 8)).digest()[:2], "big"
            )
            % 4_096,
        }
        for sequence in (0, 1, 2**64 - 1)
    ]
    return {
        "chain_id": "hutong-1",
        "writer": named("writer").hex(),
        "groups": groups,
        "candidates": candidates,
        "placements": rows,
    }


VECTORS: dict[str, Callable[[], Any]] = {
    "storage-placement": placements,
    "storage-pack": packs,
    "storage-sets": sets,
    "storage-manifest": manifests,
    "storage-audits": audits,
    "storage-lifecycle": lifecycle,
    "storage-records": records,
    "storage-operator-api": operator_api,
}


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


def on_page(name: str) -> Any:
    return json.loads(page(name).partition("```json")[2].partition("```")[0])


def write(name: str) -> None:
    """Into the page, in place of what its block held."""
    before, _, after = page(name).partition("```json\n")
    rest = after.partition("```")[2]
    (PAGES / f"{name}.md").write_text(f"{before}```json\n{json.dumps(VECTORS[name](), indent=1)}\n```{rest}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for every in VECTORS:
            write(every)
    else:
        print(json.dumps(VECTORS[sys.argv[1]](), indent=1))
