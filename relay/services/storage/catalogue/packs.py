"""Packs that hold manifests and heads, batches on the hub, uploads in parts: each function is part of its caller's transaction."""

from hutong.relay.services.storage.catalogue.database import Statements
from hutong.relay.services.storage.catalogue.objects import next_number
from hutong.relay.services.storage.catalogue.rows import BatchRow, PackRow, PartRow, Totals, Upload
from hutong.relay.services.storage.rules.packs.shape import PackShape

_HASH = 32
MAX_FORGOTTEN = 500


def _joined(hashes: tuple[bytes, ...]) -> bytes:
    return b"".join(hashes)


def _cut(octets: bytes) -> tuple[bytes, ...]:
    whole = bytes(octets)
    return tuple(whole[at : at + _HASH] for at in range(0, len(whole), _HASH))


def add_pack(statements: Statements, pack: PackRow) -> int:
    """The pack's number; that of before where it is known. Operators stand once for all packs that lie with them in this order."""
    found = number_named(statements, pack.name)
    if found is not None:
        return found
    placement = _placement(statements, pack)
    number = next_number(statements, "pack")
    statements.run(
        "INSERT INTO storage_packs (number, name, shape, roots, placement) VALUES (?, ?, ?, ?, ?)",
        (number, pack.name, _shape(pack), _joined(pack.roots), placement),
    )
    return number


def number_named(statements: Statements, name: bytes) -> int | None:
    """The number of a pack's name; None where there is none."""
    found = statements.row("SELECT number FROM storage_packs WHERE name = ?", (name,))
    return None if found is None else int(found[0])


def remove_pack(statements: Statements, number: int) -> None:
    """Forget a pack that no row names any more."""
    statements.run("DELETE FROM storage_packs WHERE number = ?", (number,))


def add_removal(statements: Statements, pack: PackRow, since_s: int) -> None:
    """Operators are to let this pack go; nothing reads it from `since_s` on."""
    statements.run(
        "INSERT INTO storage_removals (name, shape, roots, placement, since_s) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (name) DO NOTHING",
        (pack.name, _shape(pack), _joined(pack.roots), _placement(statements, pack), since_s),
    )


def removals(statements: Statements, until_s: int, after: bytes, most: int) -> tuple[PackRow, ...]:
    """Packs that are to go since `until_s` or before, in the order of names, those after `after`."""
    rows = statements.rows(
        "SELECT r.name, r.shape, r.roots, q.operators FROM storage_removals r"
        " JOIN storage_placements q ON q.number = r.placement"
        " WHERE r.since_s <= ? AND r.name > ? ORDER BY r.name LIMIT ?",
        (until_s, after, most),
    )
    return tuple(pack for row in rows if (pack := _pack(row)) is not None)


def end_removal(statements: Statements, name: bytes) -> None:
    """Every operator has let the pack go."""
    statements.run("DELETE FROM storage_removals WHERE name = ?", (name,))


def _placement(statements: Statements, pack: PackRow) -> int:
    operators = _joined(pack.operators)
    placed = statements.row("SELECT number FROM storage_placements WHERE operators = ?", (operators,))
    if placed is not None:
        return int(placed[0])
    placement = next_number(statements, "placement")
    statements.run("INSERT INTO storage_placements (number, operators) VALUES (?, ?)", (placement, operators))
    return placement


def _shape(pack: PackRow) -> bytes:
    return bytes((pack.shape.data, pack.shape.parity, pack.shape.height))


_PACK = (
    "SELECT p.name, p.shape, p.roots, q.operators FROM storage_packs p"
    " JOIN storage_placements q ON q.number = p.placement WHERE "
)


def pack_of(statements: Statements, number: int) -> PackRow | None:
    """The pack of a number; None where there is none."""
    return _pack(statements.row(_PACK + "p.number = ?", (number,)))


def pack_named(statements: Statements, name: bytes) -> PackRow | None:
    """The pack of a name; None where there is none."""
    return _pack(statements.row(_PACK + "p.name = ?", (name,)))


def _pack(row: tuple[bytes, bytes, bytes, bytes] | None) -> PackRow | None:
    if row is None:
        return None
    name, shape, roots, operators = map(bytes, row)
    return PackRow(name, PackShape(*shape), _cut(roots), _cut(operators))


def add_batch(statements: Statements, batch: BatchRow) -> None:
    """A batch that the hub has."""
    statements.run(
        "INSERT INTO storage_batches (sequence, number, packs, unsigned) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (sequence) DO UPDATE SET unsigned = excluded.unsigned",
        (batch.sequence, batch.number, batch.packs, _joined(batch.unsigned)),
    )


def has_batch(statements: Statements, sequence: int) -> bool:
    """Whether what a batch stored is in the catalogue."""
    return statements.row("SELECT number FROM storage_batches WHERE sequence = ?", (sequence,)) is not None


def degraded_batches(statements: Statements, most: int) -> tuple[BatchRow, ...]:
    """Batches that lack an operator's signature, the oldest first."""
    query = "SELECT sequence, number, packs, unsigned FROM storage_batches WHERE length(unsigned) > 0"
    rows = statements.rows(f"{query} ORDER BY sequence LIMIT ?", (most,))
    return tuple(BatchRow(sequence, number, packs, _cut(unsigned)) for sequence, number, packs, unsigned in rows)


def end_lack(statements: Statements, sequence: int, held: tuple[bytes, ...]) -> None:
    """What these operators lacked of a batch is held."""
    row = statements.row("SELECT unsigned FROM storage_batches WHERE sequence = ?", (sequence,))
    if row is not None:
        left = tuple(one for one in _cut(row[0]) if one not in held)
        statements.run("UPDATE storage_batches SET unsigned = ? WHERE sequence = ?", (_joined(left), sequence))


def add_upload(statements: Statements, upload: Upload) -> None:
    """Begin an upload."""
    statements.run(
        "INSERT INTO storage_uploads (id, bucket, key, note, retain_s, began_s) VALUES (?, ?, ?, ?, ?, ?)",
        (upload.id, upload.bucket, upload.key, upload.note, upload.retain_until_s, upload.began_s),
    )


def upload_of(statements: Statements, name: str) -> Upload | None:
    """An upload that has not ended; None for any other."""
    row = statements.row("SELECT id, bucket, key, note, retain_s, began_s FROM storage_uploads WHERE id = ?", (name,))
    if row is None:
        return None
    upload, bucket, key, note, retain_s, began_s = row
    return Upload(upload, bucket, bytes(key), bytes(note), retain_s, began_s)


def end_upload(statements: Statements, name: str) -> None:
    """Forget an upload and its parts."""
    statements.run("DELETE FROM storage_parts WHERE upload = ?", (name,))
    statements.run("DELETE FROM storage_part_sums WHERE upload = ?", (name,))
    statements.run("DELETE FROM storage_uploads WHERE id = ?", (name,))


def put_part(statements: Statements, part: PartRow) -> None:
    """Part `number` is this one from now on."""
    statements.run(
        "INSERT INTO storage_parts (upload, number, size, digest, segment, modified_ms) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (upload, number) DO UPDATE SET size = excluded.size, digest = excluded.digest,"
        " segment = excluded.segment, modified_ms = excluded.modified_ms",
        (part.upload, part.number, part.size, part.digest, part.segment, part.modified_ms),
    )
    statements.run(
        "INSERT INTO storage_part_sums (upload, number, checksum) VALUES (?, ?, ?)"
        " ON CONFLICT (upload, number) DO UPDATE SET checksum = excluded.checksum",
        (part.upload, part.number, part.checksum),
    )


def parts_of(statements: Statements, upload: str, after: int, most: int) -> tuple[PartRow, ...]:
    """Parts with numbers above `after`, in order."""
    rows = statements.rows(
        "SELECT p.upload, p.number, p.size, p.digest, p.segment, p.modified_ms, coalesce(s.checksum, '')"
        " FROM storage_parts p LEFT JOIN storage_part_sums s ON s.upload = p.upload AND s.number = p.number"
        " WHERE p.upload = ? AND p.number > ? ORDER BY p.number LIMIT ?",
        (upload, after, most),
    )
    return tuple(
        PartRow(name, number, size, bytes(digest), bytes(segment), modified_ms, checksum)
        for name, number, size, digest, segment, modified_ms, checksum in rows
    )


def uploads_of(statements: Statements, bucket: int, first: bytes, after: str, most: int) -> tuple[Upload, ...]:
    """Uploads of keys from `first` on, by key and id; of that key itself those after an id."""
    rows = statements.rows(
        "SELECT id, bucket, key, note, retain_s, began_s FROM storage_uploads"
        " WHERE bucket = ? AND (key > ? OR (key = ? AND id > ?)) ORDER BY key, id LIMIT ?",
        (bucket, first, first, after, most),
    )
    return tuple(
        Upload(name, number, bytes(key), bytes(note), retain_s, began_s)
        for name, number, key, note, retain_s, began_s in rows
    )


def stored_of(statements: Statements, upload: str) -> tuple[int, int]:
    """The highest number of an upload's parts, 0 without, and their bytes together."""
    number, size = statements.row(
        "SELECT coalesce(max(number), 0), coalesce(sum(size), 0) FROM storage_parts WHERE upload = ?", (upload,)
    )
    return int(number), int(size)


def remember_answer(statements: Statements, name: str, answer: bytes, until_s: int, now_s: int) -> None:
    """What a request with an idempotency key was answered; old ones are forgotten on the way."""
    statements.run("DELETE FROM storage_idempotency WHERE until_s < ?", (now_s,))
    statements.run(
        "INSERT INTO storage_idempotency (name, answer, until_s) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET answer = excluded.answer, until_s = excluded.until_s",
        (name, answer, until_s),
    )


def remembered_answer(statements: Statements, name: str, now_s: int) -> bytes | None:
    """See `remember_answer`."""
    row = statements.row("SELECT answer FROM storage_idempotency WHERE name = ? AND until_s >= ?", (name, now_s))
    return None if row is None else bytes(row[0])


def totals(statements: Statements) -> Totals:
    """Counts, by reading the whole index: for `status`, not for a request."""
    objects, size = statements.row("SELECT count(*), coalesce(sum(size), 0) FROM storage_objects")
    counts = [
        int(statements.row(query)[0])
        for query in (
            "SELECT count(*) FROM storage_packs",
            "SELECT count(*) FROM storage_batches",
            "SELECT count(*) FROM storage_batches WHERE length(unsigned) > 0",
            "SELECT count(*) FROM storage_uploads",
            "SELECT count(*) FROM storage_removals",
        )
    ]
    return Totals(int(objects), int(size), *counts)
