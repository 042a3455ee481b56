from pathlib import Path

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.operator.demo import app
from hutong.relay.local.programs import ProgramMissing, find_program


@pytest.fixture
def program(tmp_path):
    file = tmp_path / "simd"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_a_program_is_found_where_an_option_says_or_on_the_path(program, monkeypatch):
    assert find_program("simd", program) == program
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_program("simd", None) == program


def test_a_missing_program_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match=r"^simd is not on the PATH: .* --simd PATH$"):
        find_program("simd", None)
    with pytest.raises(ProgramMissing, match=rf"^--simd {tmp_path}/none: no program is there$"):
        find_program("simd", tmp_path / "none")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--cosmos"], "simd is not on the PATH"),
        (["--hub", "cometbft"], "cometbft is not on the PATH"),
        (["--cosmos", "--simd", "/nowhere"], "--simd /nowhere: no program is there"),
        (["--cosmos", "--chaos"], "not supported: --cosmos with --chaos"),
        (["--cosmos", "--hub", "cometbft"], "cometbft is not on the PATH"),
        (["--cosmos", "--validators", "4"], "simd is not on the PATH"),
        (["--cosmos", "--validators", "4", "--chaos"], "not supported: --cosmos with --chaos"),
        (["--hub", "cometbft", "--validators", "4"], "not supported: --hub cometbft with --validators"),
        (["--cosmos", "--hub", "cometbft", "--validators", "4"], "not supported: --hub cometbft with --validators"),
        (["--cosmos", "--bundles", "here"], "not supported: --cosmos with --bundles"),
    ],
)
def test_what_cannot_run_is_said_before_anything_starts(options, sentence, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert len(result.stderr.splitlines()) == 1
    assert not list(Path(tmp_path).iterdir())
