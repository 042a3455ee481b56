"""Provisioning says in one sentence what is not to be had, and leaves nothing half built."""

import os
import stat
from pathlib import Path

import pytest

from tests.nodes import provision
from tests.nodes.provision import NotProvisioned


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUTONG_NODES", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    (tmp_path / "bin").mkdir()
    return tmp_path


def fake_go(folder: Path, script: str) -> None:
    """Stands for the toolchain: what is tested here is what surrounds it."""
    program = folder / "bin" / "go"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_without_go_the_sentence_names_go(empty_cache: Path) -> None:
    with pytest.raises(
        NotProvisioned, match=r"^no simd: it is built from Go modules, and there is no `go` on the path$"
    ):
        provision.simd()


def test_a_module_that_is_not_to_be_had_is_named_without_the_download_log(empty_cache: Path) -> None:
    fake_go(empty_cache, "echo 'go: downloading a v1' >&2; echo 'go: cometbft@v0: not found' >&2; exit 1")
    with pytest.raises(NotProvisioned) as refusal:
        provision.cometbft()
    assert "failed: go: cometbft@v0: not found" in str(refusal.value)
    assert "downloading" not in str(refusal.value)
    fake_go(empty_cache, 'echo "program" > "$GOBIN/cometbft"')
    os.makedirs(provision.cache() / "cometbft" / f"{provision.COMETBFT_VERSION}.unfinished", exist_ok=True)
    os.environ["PATH"] += ":/bin:/usr/bin"
    built = provision.cometbft()
    assert built.read_text() == "program\n"
    fake_go(empty_cache, "exit 1")
    assert provision.cometbft() == built


def test_the_script_reports_each_missing_program_and_goes_on(
    empty_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert provision.main(["simd", "cometbft"]) == 2
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["no simd", "no cometbft"]


def test_goquorum_is_the_operators_and_left_out_where_nobody_names_it(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(provision.GOQUORUM_VARIABLE, raising=False)
    assert provision.main(["goquorum"]) == 1
    assert capsys.readouterr().err == "no goquorum: name the `geth` of a GoQuorum release in HUTONG_GOQUORUM\n"
    monkeypatch.setenv(provision.GOQUORUM_VARIABLE, str(empty_cache))
    with pytest.raises(NotProvisioned, match="which is no program"):
        provision.goquorum()
    fake_go(empty_cache, "exit 0")
    monkeypatch.setenv(provision.GOQUORUM_VARIABLE, str(empty_cache / "bin" / "go"))
    assert provision.main(["goquorum"]) == 0
