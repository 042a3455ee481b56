"""docs/site/reading.py: pages written for GitHub's reader, as the site's reader needs them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.site import reading


def test_a_list_after_a_paragraph_gets_its_blank_line():
    assert reading.with_gaps("Rules:\n- one\n- two\nEnd") == "Rules:\n\n- one\n- two\nEnd"


def test_an_item_of_several_lines_is_not_torn():
    page = "- one\n  goes on\n- two"
    assert reading.with_gaps(page) == page


def test_a_number_that_begins_a_line_of_a_paragraph_is_no_list():
    page = "There are\n7. Not a list"
    assert reading.with_gaps(page) == page


def test_a_table_after_a_paragraph_gets_its_blank_line_and_its_rows_none():
    assert (
        reading.with_gaps("What:\n| a | b |\n| --- | --- |\n| 1 | 2 |")
        == "What:\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"
    )


def test_code_is_left_alone():
    page = "Text\n```\nfirst\n- second\n```\n~~~~text\nx\n```\n- y\n~~~~"
    assert reading.with_gaps(page) == page


def test_bars_in_code_are_unescaped_in_tables_only():
    assert reading.with_gaps("| `a\\|b` | c \\| d |") == "| `a|b` | c \\| d |"
    assert reading.with_gaps("`a\\|b`") == "`a\\|b`"


@settings(max_examples=50)
@given(st.text(alphabet="-*|` \n~1.ab", max_size=80))
def test_no_text_is_lost_and_a_second_reading_changes_nothing(page):
    once = reading.with_gaps(page)
    assert [line for line in once.split("\n") if line.strip()] == [
        line.replace("\\|", "|") for line in page.split("\n") if line.strip()
    ]
    assert reading.with_gaps(once) == once


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with one page, two sources and a folder of docs with a first page."""
    monkeypatch.setattr(reading, "ROOT", tmp_path)
    monkeypatch.setattr(reading, "DOCS", tmp_path / "docs")
    for name in ("src/a.sol", "src/b.py", "docs/page.md", "docs/spec/README.md", "docs/spec/x.md", "docs/deploy/unit"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"text of {name}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("page", "link", "led"),
    [
        ("page.md", "../src/a.sol", "source/src/a.sol.md"),
        ("spec/x.md", "../../src/a.sol", "../source/src/a.sol.md"),
        ("page.md", "../src", "source/src.md"),
        ("page.md", "../src/", "source/src.md"),
        ("page.md", "deploy", "source/docs/deploy.md"),
        ("page.md", "spec/", "spec/README.md"),
        ("spec/x.md", "../spec", "../spec/README.md"),
        ("page.md", "spec/x.md", "spec/x.md"),
        ("page.md", "deploy/unit", "deploy/unit"),
        ("page.md", "../src/nothing.sol", "../src/nothing.sol"),
        ("page.md", "../../elsewhere.sol", "../../elsewhere.sol"),
        ("page.md", "https://example.org/../src/a.sol", "https://example.org/../src/a.sol"),
    ],
)
def test_links_lead_to_pages_or_copies(checkout, page, link, led):
    assert reading.with_copies(f"See [it]({link}).", page) == f"See [it]({led})."


def test_a_folder_is_copied_with_its_files(checkout):
    assert reading.copied_by("[it](../src)", "page.md") == {Path("src"), Path("src/a.sol"), Path("src/b.py")}
    assert reading.copy_text(Path("src")).endswith("# src\n\n- [a.sol](src/a.sol.md)\n- [b.py](src/b.py.md)\n")


def test_a_folder_of_too_many_files_is_refused(checkout):
    for number in range(reading.MAX_LISTED):
        (checkout / "src" / str(number)).touch()
    with pytest.raises(ValueError, match="link to one of them"):
        reading.copied_by("[it](../src)", "page.md")


def test_links_in_code_are_no_links(checkout):
    page = "```\n[it](../src/a.sol)\n```"
    assert reading.with_copies(page, "page.md") == page
    assert reading.copied_by(page, "page.md") == set()


def test_a_copy_holds_the_whole_file_whatever_fences_it_has(checkout):
    (checkout / "it.py").write_text('"""\n````\n"""\n')
    assert reading.copy_text(Path("it.py")).endswith('`````python\n"""\n````\n"""\n`````\n')


def test_a_copy_that_is_too_long_is_refused(checkout):
    (checkout / "it.txt").write_text("x" * (reading.MAX_SOURCE_BYTES + 1))
    with pytest.raises(ValueError, match="link to a smaller file"):
        reading.copy_text(Path("it.txt"))


def test_a_folder_of_the_navigation_is_all_its_pages_its_first_page_first(tmp_path):
    for name in ("spec/b.md", "spec/README.md", "spec/a.md", "spec/deep/c.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# Page\n")
    nav = ["index.md", {"Formats": "spec/"}, {"More": [{"Empty": "nothing/"}, {"One": "one.md"}]}]
    assert list(reading.expanded(nav, tmp_path)) == [
        "index.md",
        {"Formats": ["spec/README.md", "spec/a.md", "spec/b.md", "spec/deep/c.md"]},
        {"More": [{"One": "one.md"}]},
    ]
