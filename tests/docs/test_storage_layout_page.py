"""The commands of the page on storage layouts print what the page says."""

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from hutong.relay.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "storage-layouts.md"
SHOWN = re.compile(r"^```sh\n(.*?)^```\n\n.*?^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_commands_print_what_the_page_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    shown = SHOWN.findall(PAGE.read_text())
    assert len(shown) == PAGE.read_text().count("```sh") == 3
    for commands, output in shown:
        said = ""
        for line in commands.splitlines():
            program, *words = shlex.split(line)
            result = CliRunner().invoke(app, words)
            assert (program, result.exit_code) == ("hutong", 0), result.output
            said += result.stdout
        assert said == output
