"""A real S3 server does what every place of an archive must do; its key is seen nowhere."""

import pytest
from typer.testing import CliRunner

from hutong.relay.archive import ArchiveUnavailable
from hutong.relay.archive.store import BundleArchive, open_backend, open_source, verify
from hutong.relay.cli.main import app
from tests.relay.archive.backend_conformance import BackendConformance
from tests.relay.archive.bundle_values import bundle_of, packet_id

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
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{server.new_bucket()}/relay/one"


@pytest.fixture
def backend(location):
    return open_backend(location)


class TestBucket(BackendConformance):
    pass


def test_long_listings_come_page_by_page(backend):
    files = {f"objects/{number:064x}": b"x" for number in range(1_050)}
    backend.keep_all(files)
    assert set(backend.names("objects/")) == set(files)
    backend.delete_all(list(files))
    assert list(backend.names("")) == []


def test_two_archives_share_a_bucket(location):
    beside = location.replace("one", "two")
    for place, number in ((location, 1), (beside, 2)):
        BundleArchive.create(open_backend(place)).append([("x", bundle_of(number))], 1)
    assert list(open_source(location).names()) == [packet_id(1)]
    assert list(open_source(beside).names()) == [packet_id(2)]


def test_a_damaged_object_is_named(server, location, backend):
    BundleArchive.create(backend).append([("1", bundle_of(1)), ("2", bundle_of(2))], 1)
    name = next(name for name in backend.names("objects/") if b"proof of 1" not in backend.read(name, 10**6).data)
    backend.write(name, b"damaged", backend.read(name, 10**6).version)
    assert any(name in str(one) for one in verify(BundleArchive(backend)).damages)


def test_commands_take_a_bucket(location, tmp_path):
    (tmp_path / "1.bundle.json").write_bytes(bundle_of(1))
    for arguments, said in (
        (["append", location, str(tmp_path)], "1 appended"),
        (["verify", location], "whole"),
        (["export", location, "-o", str(tmp_path / "out")], "1 bundles"),
    ):
        result = CliRunner().invoke(app, ["archive", *arguments])
        assert result.exit_code == 0 and said in result.output, result.output
    assert (tmp_path / "out" / "1001-client-0-1.bundle.json").read_bytes() == bundle_of(1)


def test_refusals_name_no_key(server, location, monkeypatch):
    from tests.nodes.s3_server import ACCESS_KEY, SECRET_KEY

    sentences = []
    with pytest.raises(ArchiveUnavailable) as caught:
        BundleArchive.create(open_backend("s3://no-such-bucket/x"))
    sentences.append(str(caught.value))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY + "x")
    with pytest.raises(ArchiveUnavailable, match="refuses") as caught:
        BundleArchive.create(open_backend(location))
    sentences.append(str(caught.value))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", "/nowhere")
    with pytest.raises(ArchiveUnavailable) as caught:
        BundleArchive.create(open_backend(location))
    sentences.append(str(caught.value))
    assert not any(ACCESS_KEY in one or SECRET_KEY in one for one in sentences), sentences


def test_a_store_that_goes_away_comes_back(server, location, backend):
    archive = BundleArchive.create(backend)
    archive.append([("1", bundle_of(1))], 1)
    server.stop()
    try:
        with pytest.raises(ArchiveUnavailable, match="does not answer"):
            archive.append([("2", bundle_of(2))], 2)
    finally:
        server.start()
    archive.append([("2", bundle_of(2))], 3)
    assert verify(BundleArchive(backend)).is_whole
