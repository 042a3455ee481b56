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
MAX_LISTED = 100
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


def anchor(heading: str) -> str:
    """The anchor that GitHub and the site make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")


def copied(target: str, page: str) -> Path | None:
    """The file or folder that a link on a page leads to, relative to the repository, if the site has to copy it.

    Not copied: what is in docs, but for folders without a first page; what is not in the repository.
    """
    if ":" in target:
        return None
    path = (DOCS / page).parent.joinpath(target).resolve()
    if not path.is_relative_to(ROOT) or not path.exists() or first_page(path) is not None:
        return None
    if path.is_file() and path.is_relative_to(DOCS):
        return None
    return path.relative_to(ROOT)


def first_page(folder: Path) -> Path | None:
    """The page of docs that stands for a folder, if there is one."""
    if not folder.is_relative_to(DOCS):
        return None
    return next((folder / name for name in FIRST_PAGES if (folder / name).is_file()), None)


def copied_by(markdown: str, page: str) -> set[Path]:
    """Every file and folder that the site has to copy for a page, with the files of each folder."""
    targets = {
        path
        for line, is_prose in prose_lines(markdown)
        if is_prose
        for link in _LINK.finditer(line)
        if (path := copied(link[2], page)) is not None
    }
    return targets | {file for path in targets if (ROOT / path).is_dir() for file in listed(path)}


def listed(folder: Path) -> list[Path]:
    """Files right in a folder, relative to the repository.

    Raises:
        ValueError: more than a page should list.
    """
    found = sorted(path.relative_to(ROOT) for path in (ROOT / folder).iterdir() if path.is_file())
    if len(found) > MAX_LISTED:
        raise ValueError(f"{folder} has more than {MAX_LISTED} files: link to one of them")
    return found


def copy_page(path: Path) -> str:
    """Where the copy of a file or folder stands among the pages."""
    return f"{SOURCES}/{path.as_posix()}.md"


def copy_text(path: Path) -> str:
    """The copy, which the search leaves out: a file highlighted by its kind, a folder as a list.

    Raises:
        ValueError: longer than a page should be.
    """
    head = f"---\ntitle: {path.name}\nsearch:\n  exclude: true\n---\n# {path}\n\n"
    if (ROOT / path).is_dir():
        return head + "".join(f"- [{file.name}]({path.name}/{file.name}.md)\n" for file in listed(path))
    text = (ROOT / path).read_text(encoding="utf-8")
    if len(text.encode()) > MAX_SOURCE_BYTES:
        raise ValueError(f"{path} has more than {MAX_SOURCE_BYTES} bytes: link to a smaller file")
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`{3,}", text))])
    return f"{head}{fence}{LANGUAGES.get(path.suffix, 'text')}\n{text.rstrip()}\n{fence}\n"


def with_copies(markdown: str, page: str) -> str:
    """The page with its links to source files led to their copies, and those to folders of docs to their first pages."""
    depth = "../" * page.count("/")

    def led(link: re.Match[str]) -> str:
        if (path := copied(link[2], page)) is not None:
            return f"{link[1]}{depth}{copy_page(path)}{link[4]}"
        path = (DOCS / page).parent.joinpath(link[2]).resolve()
        if ":" not in link[2] and path.is_dir() and (first := first_page(path)) is not None:
            return f"{link[1]}{depth}{first.relative_to(DOCS).as_posix()}{link[3] or ''}{link[4]}"
        return link[0]

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
