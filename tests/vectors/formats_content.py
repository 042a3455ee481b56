"""What content is named by: IPLD's codec fixtures, and BLAKE3."""

from base64 import b64decode
from collections.abc import Iterator

from blake3 import blake3

from hutong.relay.services.storage.rules.objects.cid import parse_cid
from hutong.relay.services.storage.rules.objects.content import content_hash
from hutong.relay.services.storage.rules.objects.dag_cbor import decode_node, encode_node
from tests.vectors.shapes import FIXTURE
from tests.vectors.vector_registry import Entry, Group, Verification, runs


@runs("ipld-codec-fixtures")
def codec_fixtures(entry: Entry, group: Group) -> Iterator[Verification]:
    """Of each form the id; of DAG-CBOR, the one codec that is read here, that it is read and written the same."""
    for name, forms in entry.json().items():
        for file, encoded in forms.items():
            named = FIXTURE.fullmatch(file)
            assert named is not None
            octets = b64decode(encoded)

            def run(cid=named["cid"], codec=named["codec"], octets=octets) -> None:
                assert parse_cid(cid).names(octets)
                if codec == "dag-cbor":
                    assert encode_node(decode_node(octets)) == octets

            yield Verification(f"{name}: {named['codec']}", run)


@runs("blake3-json")
def blake3_hashes(entry: Entry, group: Group) -> Iterator[Verification]:
    document = entry.json()
    key, context = document["key"].encode(), document["context_string"]
    for case in document["cases"]:
        octets = bytes(number % 251 for number in range(case["input_len"]))

        def run(case=case, octets=octets) -> None:
            assert content_hash(octets).hex() == case["hash"][:64]
            assert content_hash(octets, key).hex() == case["keyed_hash"][:64]
            for made, field in (
                (blake3(octets), "hash"),
                (blake3(octets, key=key), "keyed_hash"),
                (blake3(octets, derive_key_context=context), "derive_key"),
            ):
                assert made.hexdigest(length=len(case[field]) // 2) == case[field]

        yield Verification(f"{case['input_len']} bytes", run)
