"""Lines of the pages that start Python on a program given to it, not on a file."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
STARTED = re.compile(r"\bpython3?(?:\.\d+)?((?: +-[A-Za-z]*)*)(?= |$|<)", re.MULTILINE)


def unsafe(text: str) -> list[str]:
    """Calls with `-`, `-c` or standard input whose imports look in the current folder first."""
    found = []
    for match in STARTED.finditer(text):
        options = match[1].split()
        given = "-" in options or any(option.endswith("c") for option in options)
        piped = text[match.end() :].lstrip(" ").startswith("<<")
        if (given or piped) and not {"-P", "-I"} & set(options):
            found.append(match[0])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_trial_O14_no_page_starts_python_that_imports_from_the_current_folder(page):
    assert unsafe(page.read_text(encoding="utf-8")) == [], "write python3 -P: a folder may hold a json.py of others"


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("python3 - > a.json <<'EOF'", 1),
        ("curl x | python3 -c 'import json, sys", 1),
        ("$(python -c 'import os')", 1),
        ("python3 <<EOF", 1),
        ("python3 -P - > a.json <<'EOF'", 0),
        ("python3 -I -c 'import json'", 0),
        ("python3 -m venv .venv", 0),
        ("python3 make_token.py", 0),
    ],
)
def test_what_counts_as_a_program_given_to_python(line, count):
    assert len(unsafe(line)) == count
