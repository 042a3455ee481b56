"""What MkDocs needs to read pages that are written for GitHub's reader, and to build a site that stands alone.

- A folder in `nav` stands for all its pages, so that a new page is in the navigation by being there.
- A link to a source file (`../contracts/src/Router.sol`) or to a folder of them leads to a copy in the site.
- Lists and tables begin without a blank line before them, and `\\|` in a table is a bar in code too.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from reading import SOURCES, copied_by, copy_page, copy_text, expanded, with_copies, with_gaps

UNSEARCHED = ("attacks.md",)
"""A table that would fill every list of results."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Folders of the navigation become their pages."""
    config.nav = list(expanded(config.nav or [], Path(config.docs_dir)))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Every source file and folder that a page links to gets a page of the site."""
    for file in list(files.documentation_pages()):
        text = (Path(config.docs_dir) / file.src_uri).read_text(encoding="utf-8")
        for path in sorted(copied_by(text, file.src_uri)):
            page = copy_page(path)
            if files.get_file_from_path(page) is None:
                content = copy_text(path)
                files.append(File.generated(config, page, content=content, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """One page, as Python-Markdown reads it."""
    if page.file.src_uri.startswith(f"{SOURCES}/"):
        return markdown
    if page.file.src_uri in UNSEARCHED:
        page.meta["search"] = {"exclude": True}
    return with_gaps(with_copies(markdown, page.file.src_uri))
