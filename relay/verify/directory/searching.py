"""Searches in an index that was made on this machine, and answers of any origin: what `hutong directory index` calls."""

from pathlib import Path
from typing import Any

from hutong.light_clients.interface import CheckVerdict, MalformedInput
from hutong.light_clients.interface.judge import audit
from hutong.relay.services.directory.rules.terms.answer import (
    MAX_ANSWER_BYTES,
    SearchAnswer,
    answer_query,
    decode_answer,
    encode_answer,
    judge_answer,
)
from hutong.relay.services.directory.rules.terms.entry_texts import EntryText
from hutong.relay.services.directory.rules.terms.index import ProvableIndex, TermsHead
from hutong.relay.services.directory.rules.terms.lookup import operations_with
from hutong.relay.services.directory.rules.terms.query import Query, matches, parse_query
from hutong.relay.services.directory.search.engine import DatabaseEngine, SearchPage, SearchUnavailable
from hutong.relay.services.directory.search.index_home import build_index, open_index, open_terms
from hutong.relay.services.directory.search.operation_files import OperationFiles
from hutong.relay.verify.inputs import UnusableInput, read_file


def build(entries: Path, home: Path, database: DatabaseEngine | None = None) -> TermsHead:
    """An index over the operations in files, which takes the place of the one in `home`, and in the database where there is one.

    Raises:
        UnusableInput: the files cannot be read or hold something else, or the index cannot be written. The old index stays.
    """
    if not entries.exists():
        raise UnusableInput(f"{entries} cannot be read: there is no such file or folder")
    try:
        return build_index(home, OperationFiles(entries), database)
    except (MalformedInput, ValueError) as error:
        raise UnusableInput(f"{entries}: {error}") from None
    except OSError as error:
        raise UnusableInput(f"{entries}, {home}: {error.strerror or error}") from None
    except SearchUnavailable as error:
        raise UnusableInput(str(error)) from None


def query_of(text: str) -> Query:
    """A query.

    Raises:
        UnusableInput: it is not one.
    """
    try:
        return parse_query(text)
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None


def search(
    home: Path, query: Query, before: int | None, limit: int, database: DatabaseEngine | None = None
) -> SearchPage:
    """A page of the entries that stand and match, in the folder or else in the database.

    Raises:
        UnusableInput: there is no index, or it cannot be read.
    """
    try:
        engine = database or open_index(home)
        try:
            return engine.search(query, before, limit)
        finally:
            engine.close()
    except SearchUnavailable as error:
        raise UnusableInput(str(error)) from None


def prove(home: Path, query: Query, entries: Path | None) -> bytes:
    """An answer file: all operations that match, with the proof that none is left out.

    Args:
        entries: the operations in files, which say what of the candidates matches where the query is more than terms; None where it is not.

    Raises:
        UnusableInput: there is no index, the query has no term, or entries are needed and not given.
    """
    try:
        index = open_terms(home)
        return encode_answer(answer_query(index, query, _hits(index, query, entries)))
    except (SearchUnavailable, MalformedInput) as error:
        raise UnusableInput(str(error)) from None


def _hits(index: ProvableIndex, query: Query, entries: Path | None) -> list[int]:
    having = [set(operations_with(index, term)) for term in query.indexed_terms]
    candidates = sorted(set.intersection(*having)) if having else []
    if query.is_terms_alone:
        return candidates
    texts = read_entries(entries)
    return [sequence for sequence in candidates if sequence in texts and matches(query, texts[sequence])]


def read_entries(entries: Path | None) -> dict[int, EntryText]:
    """What can be searched of each operation in files, by number; of none where there are no files.

    Raises:
        UnusableInput: the files cannot be read, or hold something else.
    """
    if entries is None:
        return {}
    try:
        found = OperationFiles(entries).operations(0)
        return {one.sequence: one.text for one in found if one.text is not None}
    except MalformedInput as error:
        raise UnusableInput(f"{entries}: {error}") from None
    except OSError as error:
        raise UnusableInput(f"{entries} cannot be read: {error.strerror or error}") from None


def judge_answer_file(
    path: Path, query: Query, digest: bytes, entries: Path | None
) -> tuple[SearchAnswer, tuple[CheckVerdict, ...]]:
    """An answer of any origin, and what every rule says of it under a digest that is believed.

    Raises:
        UnusableInput: a file cannot be read, or holds something else.
    """
    try:
        answer = decode_answer(read_file(path, MAX_ANSWER_BYTES))
        return answer, audit(judge_answer, answer, query, digest, read_entries(entries))
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def head_fields(head: TermsHead) -> dict[str, Any]:
    """As `--json` shows a head."""
    return {"size": head.size, "leaves": head.leaves, "root": head.root.hex(), "digest": head.digest.hex()}


def page_fields(page: SearchPage) -> dict[str, Any]:
    """As `--json` shows a page."""
    hits = [{"sequence": hit.sequence, "entry": hit.entry} for hit in page.hits]
    return {"total": page.total, "size": page.size, "hits": hits, "before": page.before}
