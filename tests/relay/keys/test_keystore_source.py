"""The kind `keystore`: a file that this process opens."""

import copy
import pickle

import pytest

from hutong.light_clients.crypto import secp256k1
from hutong.relay.config import KeystoreConfig
from hutong.relay.keys import create_keystore, open_source
from tests.relay.keys.source_conformance import SourceConformance

PRIVATE_KEY = bytes(range(1, 33))


class TestKeystoreSource(SourceConformance):
    expected_key = secp256k1.public_key_of(PRIVATE_KEY)

    @pytest.fixture(scope="class")
    def keystore(self, tmp_path_factory):
        path = tmp_path_factory.mktemp("keys") / "key.json"
        create_keystore(path, PRIVATE_KEY, b"correct horse", iterations=2)
        return path

    @pytest.fixture
    def source(self, keystore):
        return open_source(KeystoreConfig(keystore=keystore, password_env="P"), {"P": "correct horse"})

    async def test_its_name_is_its_place(self, source, keystore):
        assert source.name == f"keystore {keystore}" and PRIVATE_KEY.hex() not in repr(source)

    async def test_attack_G14_nothing_of_the_key_can_be_copied_out(self, source):
        for steal in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                steal(source)
