"""Pages that are written for GitHub's reader, as Python-Markdown reads them; and the navigation from folders. No MkDocs in here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent
ROOT = DOCS.parent
SOURCES = "source"
"""Folder of the copies, in the site."""
MAX_SOURCE_BYTES = 256 * 1024
LANGUAGES = {".sol": "solidity", ".py": "python", ".toml": "toml", ".json": "json", ".sh": "bash", ".proto": "protobuf"}
FIRST_PAGES = ("README.md", "index.md")

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_LIST_ITEM = re.compile(r"^(?:[-*+]|1\.) ")
_TABLE_RULE = re.compile(r"^\|?[ :|-]*-[ :|-]*\|[ :|-]*$")
_CODE_SPAN = re.compile(r"(`+)(.+?)\1")


def expanded(nav: list[Any], docs: Path) -> Iterator[Any]:
    """The navigation with each folder as the list of its pages. A folder without pages is left out."""
    for entry in nav:
        if not isinstance(entry, dict):
            yield entry
            continue
        for title, target in entry.items():
            if isinstance(target, list):
                yield {title: list(expanded(target, docs))}
            elif not target.endswith("/"):
                yield {title: target}
            elif pages := folder_pages(docs / target, docs):
                yield {title: pages}


def folder_pages(folder: Path, docs: Path) -> list[str]:
    """Pages below a folder, its first page first."""
    found = sorted(folder.rglob("*.md"), key=lambda path: (path.name not in FIRST_PAGES, path.as_posix().lower()))
    return [path.relative_to(docs).as_posix() for path in found]


def prose_lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Lines, and whether each is prose: outside fenced code."""
    fence = ""
    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            yield line, False
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                fence = ""
        else:
            fence = mark[1] if mark else ""
            yield line, not fence


def outside(target: str, page: str) -> Path | None:
    """The file of the repository, outside docs, that a link on a page leads to, relative to the repository."""
    if ":" in target:
        return None
    file = (DOCS / page).parent.joinpath(target).resolve()
    if file.is_relative_to(DOCS) or not file.is_relative_to(ROOT) or not file.is_file():
        return None
    return file.relative_to(ROOT)


def outside_targets(markdown: str, page: str) -> set[Path]:
    """Every file outside docs that the page links to."""
    return {
        file
        for line, is_prose in prose_lines(markdown)
        if is_prose
        for link in _LINK.finditer(line)
        if (file := outside(link[2], page)) is not None
    }


def source_page(file: Path) -> str:
    """Where the copy of a source file stands among the pages."""
    return f"{SOURCES}/{file.as_posix()}.md"


def source_text(file: Path) -> str:
    """The copy: not in the search, highlighted by its kind.

    Raises:
        ValueError: longer than a page should be.
    """
    text = (ROOT / file).read_text(encoding="utf-8")
    if len(text.encode()) > MAX_SOURCE_BYTES:
        raise ValueError(f"{file} has more than {MAX_SOURCE_BYTES} bytes: link to a smaller file")
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`{3,}", text))])
    language = LANGUAGES.get(file.suffix, "text")
    return f"---\ntitle: {file.name}\nsearch:\n  exclude: true\n---\n# {file}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


def with_source_links(markdown: str, page: str) -> str:
    """The page with its links to source files led to their copies."""
    depth = "../" * page.count("/")

    def led(link: re.Match[str]) -> str:
        file = outside(link[2], page)
        return link[0] if file is None else f"{link[1]}{depth}{source_page(file)}{link[4]}"

    return "\n".join(_LINK.sub(led, line) if is_prose else line for line, is_prose in prose_lines(markdown))


def with_bars(row: str) -> str:
    """A row of a table whose code has its bars as they are meant: here a bar in code ends no cell."""
    return _CODE_SPAN.sub(lambda span: span[0].replace("\\|", "|"), row)


def with_gaps(markdown: str) -> str:
    """The page with a blank line before each list and table that follows a paragraph, and bars in code unescaped."""
    lines = list(prose_lines(markdown))
    made: list[str] = []
    for index, (line, is_prose) in enumerate(lines):
        previous = made[-1] if made else ""
        following = lines[index + 1][0] if index + 1 < len(lines) else ""
        begins_list = _LIST_ITEM.match(line) and not _LIST_ITEM.match(previous) and not previous.startswith(" ")
        begins_table = "|" in line and _TABLE_RULE.match(following) and "|" not in previous
        if is_prose and previous.strip() and lines[index - 1][1] and (begins_list or begins_table):
            made.append("")
        made.append(with_bars(line) if is_prose and line.startswith("|") else line)
    return "\n".join(made)
