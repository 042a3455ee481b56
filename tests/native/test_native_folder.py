"""What can be seen of the extension without building it: that it is glue, that its list names no host, and what is said without it."""

import re
import tomllib
from pathlib import Path

import pytest

from hutong.light_clients.crypto import secret_sharing
from hutong.light_clients.crypto.secret_sharing import (
    Commitments,
    CommitmentsRefused,
    CountsRefused,
    Share,
    ShareRefused,
    SharingNotBuilt,
)

NATIVE = Path(__file__).resolve().parents[2] / "native"
MOST_LINES = 400
"""Of Rust, all together (docs/adr/0031): more of it would be a place where things are computed."""


@pytest.fixture
def without_extension(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "hutong_native", None)
    secret_sharing.extension.cache_clear()
    yield
    secret_sharing.extension.cache_clear()


def test_rust_is_glue():
    sources = [path.read_text(encoding="utf-8") for path in sorted((NATIVE / "src").glob("*.rs"))]
    assert sources
    assert sum(len(text.splitlines()) for text in sources) <= MOST_LINES
    for text in sources:
        assert "unsafe" not in text
        assert not re.search(r"\b(to_scalar|RistrettoPoint|curve25519_dalek)\b", text)


def test_list_of_crates_names_no_host():
    lines = (NATIVE / "crates.txt").read_text(encoding="ascii").splitlines()
    assert lines == sorted(lines)
    assert all(re.fullmatch(r"[a-z0-9_-]+ \d+\.\d+\.\d+(\S*) [0-9a-f]{64}", line) for line in lines)
    assert not list(NATIVE.glob("Cargo.lock")) or "Cargo.lock" in (NATIVE / ".gitignore").read_text()


def test_pinned_versions_are_the_listed_ones():
    listed = dict(line.split()[:2] for line in (NATIVE / "crates.txt").read_text(encoding="ascii").splitlines())
    needed = tomllib.loads((NATIVE / "Cargo.toml").read_text())["dependencies"]
    for name in ("frost-ristretto255", "pyo3"):
        assert needed[name]["version"] == f"={listed[name]}"
    assert f'("frost-ristretto255", "{listed["frost-ristretto255"]}")' in (NATIVE / "src" / "lib.rs").read_text()


def test_extension_and_hutong_need_the_same_python():
    ours = tomllib.loads((NATIVE.parent / "pyproject.toml").read_text())["project"]["requires-python"]
    assert tomllib.loads((NATIVE / "pyproject.toml").read_text())["project"]["requires-python"] == ours


def test_without_the_extension_it_says_so(without_extension):
    assert not secret_sharing.is_built()
    commitments, share = Commitments(bytes(64)), Share(1, bytes(32))
    for call in (
        lambda: secret_sharing.split(2, 3),
        lambda: secret_sharing.verify_share(commitments, share),
        lambda: secret_sharing.reconstruct(commitments, (share, share)),
    ):
        with pytest.raises(SharingNotBuilt, match="not supported: secret sharing needs the extension hutong-native"):
            call()


@pytest.mark.parametrize("size", [0, 31, 32, 33, 63, 65, 101 * 32])
def test_size_of_commitments_is_bounded(size):
    with pytest.raises(CommitmentsRefused, match=f"have {size} bytes"):
        Commitments(bytes(size))
    assert Commitments(bytes(64)).threshold == 2
    assert Commitments(bytes(3_200)).threshold == 100


def test_share_is_bounded():
    for holder in (-1, 0, 101):
        with pytest.raises(CountsRefused, match="1 to 100"):
            Share(holder, bytes(32))
    for size in (0, 31, 33):
        with pytest.raises(ShareRefused) as refused:
            Share(7, bytes(size))
        assert refused.value.holder == 7
    assert Share(100, bytes(32)).holder == 100


def test_no_text_has_a_share_in_it():
    secret = bytes(range(32))
    dealing = secret_sharing.Dealing(secret, Commitments(bytes(64)), (Share(1, secret),))
    assert repr(secret)[2:-1] not in repr(dealing)
    assert secret.hex() not in repr(dealing)
