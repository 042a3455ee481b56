"""Files that only a folder's `MANIFEST.md` lists, which names no format: known by the fields of their cases, by the line that
names a cipher's mode, or by the layout of their folder, where a specification lays it out (C2SP tlog-tiles)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hutong.light_clients.interface.json_text import deeper_than
from tests.vectors.vector_registry import Entry

MAX_SHAPED_BYTES = 1024 * 1024
MAX_SHAPED_DEPTH = 64
SHAPES = {
    "merkle-inclusion-json": {"leafIdx", "treeSize", "root", "leafHash", "proof", "wantErr"},
    "merkle-consistency-json": {"size1", "size2", "root1", "root2", "proof", "wantErr"},
    "reed-solomon-json": {"matrix", "k", "m", "object_bytes", "object_sha256", "shard_bytes", "shard_sha256", "lost"},
    "directory-document-json": {"id", "kind", "body", "expected"},
    "catalogue-delta-json": {"kind", "published", "served", "added", "removed", "changed"},
    "catalogue-pair-json": {"from", "to", "entries", "added", "removed", "changed"},
    "dsp-message-json": {"source", "schema", "mutation", "document", "expected"},
    "sm2-verify-json": {"public_x", "public_y", "ident_ascii", "message_hex", "r", "s", "valid"},
    "sm2-decrypt-json": {"key_pem_pkcs8", "ciphertext_der", "plaintext_ascii"},
}
"""Format ids of our own, and the fields that every case of such a list has."""
OBJECT_SHAPES = {
    "hpke-json": {"mode", "kem_id", "kdf_id", "aead_id", "info", "skRm", "pkRm", "enc", "encryptions", "exports"},
    "sm2-sign-json": {"private", "public_x", "public_y", "ident_ascii", "message_hex", "z_a", "e", "nonce", "r", "s"},
    "sigv4-s3-json": {"access_key", "secret_key", "host", "path_style", "vectors"},
    "blake3-json": {"key", "context_string", "cases"},
    "ohttp-example-json": {"gateway_secret_key", "encapsulated_request", "bhttp_request", "info", "exported_secret"},
}
"""The same of files that are one case."""
CASE_SHAPES = {
    "odrl-refinement-json": {"offer", "agreement", "expected"},
    "odrl-decision-json": {"agreement", "request", "expected"},
}
"""The same of the cases that stand beside a hierarchy of purposes."""
RELATIONS = {"id", "file", "relation", "verdict", "problem"}
"""Of each row of a list about pairs of policies, a file each."""
WYCHEPROOF = {"algorithm", "schema", "numberOfTests", "testGroups"}
"""Of C2SP/wycheproof: the format is `wycheproof-` and the algorithm."""
SM4_MODE = re.compile(r"^# SM4 (ECB|CBC|CFB|CTR|GCM)$", re.MULTILINE)
"""In files of the NIST loader's layout."""


FIXTURE = re.compile(r"(?P<cid>[a-zA-Z0-9]+)\.(?P<codec>dag-[a-z]+|raw)")
"""How the files of one value are named among IPLD's codec fixtures."""


def is_codec_fixtures(document: dict[str, Any]) -> bool:
    """Whether it holds values by name, each in several forms."""
    forms = list(document.values())
    return bool(forms) and all(isinstance(one, dict) and one and all(map(FIXTURE.fullmatch, one)) for one in forms)


def shape_of(document: Any) -> str | None:
    if isinstance(document, dict):
        if set(document) >= WYCHEPROOF:
            return f"wycheproof-{document['algorithm']}".lower()
        if is_codec_fixtures(document):
            return "ipld-codec-fixtures"
        if isinstance(document.get("purposes"), dict) and isinstance(cases := document.get("cases"), list) and cases:
            return next(
                (name for name, fields in CASE_SHAPES.items() if all(fields <= set(case) for case in cases)), None
            )
        return next((name for name, fields in OBJECT_SHAPES.items() if fields <= set(document)), None)
    if not isinstance(document, list) or not document or not all(isinstance(case, dict) for case in document):
        return None
    if all(set(case) >= RELATIONS for case in document):
        return "odrl-verdicts-json"
    return next((name for name, fields in SHAPES.items() if all(fields <= set(case) for case in document)), None)


def shaped_entries(root: Path, listed: frozenset[str]) -> Iterator[Entry]:
    """Entries of files in folders with a `MANIFEST.md` that the manifest (`listed`) does not have, by shape."""
    for readme in sorted(root.glob("*/MANIFEST.md")):
        for path in sorted(readme.parent.rglob("*.json")):
            name = path.relative_to(root).as_posix()
            if name in listed or path.stat().st_size > MAX_SHAPED_BYTES:
                continue
            data = path.read_bytes()
            # Test suites of parsers are among them; libraries raise the recursion limit to where deep nesting ends the process.
            if deeper_than(data, MAX_SHAPED_DEPTH):
                continue
            try:
                shape = shape_of(json.loads(data))
            except ValueError:
                continue
            if shape is not None:
                yield Entry(root, name, readme.parent.name, shape, "cases")
            if shape == "odrl-verdicts-json":
                for row in json.loads(data):
                    beside = (path.parent / row["file"]).relative_to(root).as_posix()
                    yield Entry(root, beside, readme.parent.name, "odrl-relation-ttl", "cases", params=row)
        for path in sorted(readme.parent.glob("*.txt")):
            name = path.relative_to(root).as_posix()
            if name in listed or path.stat().st_size > MAX_SHAPED_BYTES:
                continue
            mode = SM4_MODE.search(path.read_text(encoding="utf-8", errors="replace"))
            if mode is not None:
                yield Entry(root, name, readme.parent.name, "sm4-rsp", "cases", params={"mode": mode[1].lower()})
        yield from served_logs(root, readme.parent, listed)
        for path in sorted(readme.parent.glob("*/test_cases/*.ttl")):
            name = path.relative_to(root).as_posix()
            if name not in listed and (path.parents[1] / "policies").is_dir():
                yield Entry(root, name, readme.parent.name, "odrl-testcase-ttl", "cases")


def served_logs(root: Path, folder: Path, listed: frozenset[str]) -> Iterator[Entry]:
    """Every file of every log in `folder`: where a `checkpoint` stands beside `tile`, as C2SP tlog-tiles demands."""
    for mark in sorted(folder.rglob("checkpoint")):
        log = mark.parent
        if not (mark.is_file() and (log / "tile").is_dir()):
            continue
        for path in sorted(log.rglob("*")):
            name, within = path.relative_to(root).as_posix(), path.relative_to(log)
            if not path.is_file() or name in listed or path.stat().st_size > MAX_SHAPED_BYTES:
                continue
            kinds = {1: "tlog-checkpoint"} if within.parts[0] != "tile" else {}
            kind = kinds.get(len(within.parts), "tlog-entries" if within.parts[1:2] == ("entries",) else "tlog-tile")
            params = {"log": log.relative_to(root).as_posix()}
            yield Entry(root, name, folder.name, kind, "valid", params=params)
