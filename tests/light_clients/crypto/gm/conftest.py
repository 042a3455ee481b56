"""Engines taken away and given back."""

import sys

import pytest

from hutong.light_clients.crypto.gm import libraries


@pytest.fixture
def without(monkeypatch):
    """Takes engines away, by the names of their packages."""

    def take_away(*packages: str) -> None:
        for package in packages:
            monkeypatch.setitem(sys.modules, package, None)
            loaded = [name for name in sys.modules if name.startswith(f"{package}.")]
            for name in loaded:
                monkeypatch.setitem(sys.modules, name, None)
        libraries.look_again()

    yield take_away
    monkeypatch.undo()
    libraries.look_again()
