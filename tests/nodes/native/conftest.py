"""The extension as `provision` builds it, before the door that looks for it."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from hutong.light_clients.crypto import secret_sharing
from tests.nodes.provision import native_extension_path


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = native_extension_path()
    if not folder.is_dir():
        pytest.skip("the extension is built by `python tests/nodes/provision.py native-extension` alone")
    monkeypatch.syspath_prepend(str(folder))
    secret_sharing.extension.cache_clear()
    module = secret_sharing.extension()
    assert module is not None
    yield module
    secret_sharing.extension.cache_clear()
