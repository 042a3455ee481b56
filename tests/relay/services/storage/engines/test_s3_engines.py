"""Real S3 engines do what every engine must; their key is seen nowhere."""

import pytest

from hutong.relay.services.storage.engines.bucket import open_bucket
from hutong.relay.services.storage.engines.engine import EngineUnavailable
from tests.nodes.provision import seaweedfs_path
from tests.relay.services.storage.engines.engine_conformance import NAME, EngineConformance

pytestmark = [
    pytest.mark.nodes,
    # botocore warns of its own clock functions
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def server():
    from tests.nodes.s3_server import S3Server

    server = S3Server()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def location(server, monkeypatch):
    return location_in(server, monkeypatch)


def location_in(server, monkeypatch) -> str:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{server.new_bucket()}/operator-7"


class TestVersitygw(EngineConformance):
    @pytest.fixture
    def engine(self, location):
        return open_bucket(location)


@pytest.fixture(scope="module")
def seaweed():
    from tests.nodes.s3_server import SeaweedServer

    server = SeaweedServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.mark.skipif(not seaweedfs_path().is_file(), reason="SeaweedFS is built by its name: provision.py seaweedfs")
class TestSeaweed(EngineConformance):
    @pytest.fixture
    def engine(self, seaweed, monkeypatch):
        return open_bucket(location_in(seaweed, monkeypatch))


def test_the_largest_object_and_a_listing_of_pages(location):
    engine = open_bucket(location)
    largest = bytes(range(256)) * (32 * 1_024 + 16)
    engine.create(NAME, largest)
    assert engine.read_back(NAME) == largest and engine.read(NAME, 8_000_000, 65_536) == largest[8_000_000:8_065_536]
    engine.delete(NAME)
    names = {f"a/{number:04x}" for number in range(1_010)}
    for name in names:
        engine.create(name, b"x")
    assert set(engine.names("a/")) == names


def test_refusals_name_no_key(location, monkeypatch):
    from tests.nodes.s3_server import ACCESS_KEY, SECRET_KEY

    refusals = []
    for wrong in ({"AWS_SECRET_ACCESS_KEY": SECRET_KEY + "x"}, {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1/"}):
        with monkeypatch.context() as environment:
            for name, value in wrong.items():
                environment.setenv(name, value)
            with pytest.raises(EngineUnavailable) as refused:
                open_bucket(location).create(NAME, b"x")
            refusals.append(str(refused.value))
    assert "refuses" in refusals[0] and "does not answer" in refusals[1]
    assert not any(secret in said for said in refusals for secret in (ACCESS_KEY, SECRET_KEY, "127.0.0.1"))


@pytest.mark.parametrize("location", ["s3://", "s3://A", "s3://bucket/../x", "s3://bucket//x", "http://x"])
def test_locations_that_are_none_are_refused(location):
    with pytest.raises(EngineUnavailable, match="does not look like"):
        open_bucket(location)
