"""The gateway as people run it: operators and gateway are processes, boto3 and `hutong storage` their clients."""

import json
import os
from base64 import b64encode
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from hutong.light_clients.crypto.erasure import CauchyCode
from tests.relay.services.storage.gateway.processes import GatewayProcess, begun, invoked
from tests.relay.services.storage.operator.operator_process import OperatorProcess

CODE = (4, 2)


def client_of(url: str, said: dict):
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=said["s3_access_key"],
        aws_secret_access_key=said["s3_secret_key"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 3}),
    )


@pytest.mark.long
def test_a_gateway_whose_erasure_code_computes_wrongly_does_not_start(tmp_path, monkeypatch):
    said = begun(tmp_path / "gateway", CODE)
    for number in range(1, sum(CODE) + 1):
        added = invoked("gateway", "add", "--config", said["config"], "--operator", f"{number:064x}", "--url",
                        f"http://127.0.0.1:{number}", "--account", f"0x{number:040x}", "--organisation", f"o{number}",
                        "--site", f"s{number}")  # fmt: skip
        assert added.exit_code == 0, added.output
    encode = CauchyCode.encode
    monkeypatch.setattr(CauchyCode, "encode", lambda code, shards: encode(code, shards)[::-1])
    refused = invoked("gateway", "run", "--config", said["config"])
    assert refused.exit_code != 0 and "every engine of it was turned off" in refused.output
    (kept,) = (tmp_path / "gateway").rglob("engine-evidence/*.json")
    assert json.loads(kept.read_text())["engine"] == "ISA-L"


@pytest.mark.long
def test_boto3_stores_and_reads_over_operators_of_which_some_die(tmp_path):
    said = begun(tmp_path / "gateway", CODE)
    config = Path(said["config"])
    operators = []
    gateway = None
    try:
        for number in range(sum(CODE)):
            home = tmp_path / f"operator-{number}"
            made = invoked("operator", "init", "--home", home, "--chain-id", "trial-1", "--listen", "127.0.0.1:0",
                           "--writer", f"{said['writer']}:{said['account']}", "--json")  # fmt: skip
            assert made.exit_code == 0, made.output
            known = json.loads(made.stdout)
            operators.append(OperatorProcess(Path(known["config"])))
            added = invoked("gateway", "add", "--config", config, "--operator", known["operator"], "--url",
                            operators[-1].url, "--account", known["account"], "--organisation", f"o{number}",
                            "--site", f"s{number}")  # fmt: skip
            assert added.exit_code == 0, added.output
        gateway = GatewayProcess(config)
        s3 = client_of(gateway.url, said)
        objects = {key: os.urandom(size) for key, size in (("none", 0), ("small", 70_000), ("large", 36_000_000))}
        s3.create_bucket(Bucket="ward-3")
        for key, octets in objects.items():
            s3.put_object(Bucket="ward-3", Key=key, Body=octets, Metadata={"case": "7"})
        parts_of(s3, objects)
        found = s3.list_objects_v2(Bucket="ward-3")
        assert {one["Key"]: one["Size"] for one in found["Contents"]} == {k: len(v) for k, v in objects.items()}
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket="ward-3", Key="small", Body=b"x", IfNoneMatch="*")
        link = s3.generate_presigned_url("get_object", Params={"Bucket": "ward-3", "Key": "small"}, ExpiresIn=600)
        assert fetched(link) == objects["small"]
        resumed_by_commands(gateway.url, said, tmp_path)

        gateway.kill()  # nothing that was answered is lost
        gateway = GatewayProcess(config)
        s3 = client_of(gateway.url, said)
        for operator in operators[: CODE[1]]:
            operator.kill()
        for key, octets in objects.items():
            got = s3.get_object(Bucket="ward-3", Key=key)
            assert got["Body"].read() == octets
        assert s3.head_object(Bucket="ward-3", Key="small")["Metadata"] == {"case": "7"}
        by_commands(gateway.url, said, tmp_path, objects["small"])
        operators[CODE[1]].kill()
        with pytest.raises(ClientError, match="3 of 6 shards can be read, 4 are needed"):
            s3.get_object(Bucket="ward-3", Key="small")
        s3.delete_object(Bucket="ward-3", Key="absent")
    finally:
        out = "" if gateway is None else gateway.stop()
        for operator in operators:
            if operator.process.poll() is None:
                operator.kill()
    assert said["s3_secret_key"] not in out


def parts_of(s3, objects) -> None:
    objects["parts"] = os.urandom(5 * 2**20) + os.urandom(100_000)
    upload = s3.create_multipart_upload(Bucket="ward-3", Key="parts")["UploadId"]
    place = {"Bucket": "ward-3", "Key": "parts", "UploadId": upload}
    cut = 5 * 2**20
    named = [
        {"PartNumber": number, "ETag": s3.upload_part(**place, PartNumber=number, Body=octets)["ETag"]}
        for number, octets in ((2, objects["parts"][cut:]), (1, objects["parts"][:cut]))
    ]
    assert [one["PartNumber"] for one in s3.list_parts(**place)["Parts"]] == [1, 2]
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": named[::-1]})


def fetched(link: str) -> bytes:
    import httpx

    return httpx.get(link, trust_env=False, timeout=60).content


def resumed_by_commands(url: str, said: dict, home: Path) -> None:
    """An upload that was begun by another run, with 2 MB of 5 acknowledged, is gone on with from there."""
    import httpx

    from hutong.relay.cli.storage.resuming import TUS, fingerprint

    file = home / "film"
    file.write_bytes(os.urandom(5_000_000))
    octets, name = file.read_bytes(), b64encode(fingerprint(file).encode()).decode()
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {said['api_key']}"}, timeout=120) as client:
        asked = {**TUS, "upload-length": "5000000", "upload-metadata": f"fingerprint {name}"}
        place = client.post("/v1/uploads/ward-3/film", headers=asked).headers["location"]
        sent = {**TUS, "content-type": "application/offset+octet-stream", "upload-offset": "0"}
        assert client.patch(place, content=octets[:2_000_000], headers=sent).status_code == 204
    environment = {"HUTONG_STORAGE_URL": url, "HUTONG_STORAGE_KEY": said["api_key"]}
    stored = invoked("put", file, "ward-3/film", "--resume", "--json", **environment)
    assert stored.exit_code == 0, stored.output
    assert json.loads(stored.stdout)["resumed_at"] == 2_000_000
    out = home / "film-copy"
    assert invoked("get", "ward-3/film", "-o", out, **environment).exit_code == 0
    assert out.read_bytes() == octets
    assert invoked("rm", "ward-3/film", **environment).exit_code == 0
    assert invoked("put", file, "ward-3/film", "--resume", "--if-absent", **environment).exit_code == 2


def by_commands(url: str, said: dict, home: Path, small: bytes) -> None:
    environment = {"HUTONG_STORAGE_URL": url, "HUTONG_STORAGE_KEY": said["api_key"]}
    out = home / "copy"
    assert invoked("get", "ward-3/small", "-o", out, **environment).exit_code == 0
    assert out.read_bytes() == small
    status = json.loads(invoked("status", "--json", **environment).stdout)
    assert (status["objects"], status["on_hub"], status["pending"]) == (4, False, 0)
    assert "ward-3" in invoked("ls", **environment).stdout
    assert "small" in invoked("ls", "ward-3", **environment).stdout
    refused = invoked("put", out, "ward-3/new", **environment)
    assert (refused.exit_code, "5 are needed" in refused.stderr or "6 are needed" in refused.stderr) == (1, True)
    assert invoked("get", "ward-3/none-such", "-o", home / "other", **environment).exit_code == 1
    assert not (home / "other").exists()


@pytest.mark.long
def test_gateway_that_was_begun_is_never_changed(tmp_path):
    said = begun(tmp_path / "gateway", CODE)
    again = invoked("gateway", "init", "--home", tmp_path / "gateway", "--chain-id", "trial-1")
    assert (again.exit_code, "never changed" in again.stderr) == (2, True)
    config = Path(said["config"])
    before = config.read_bytes()
    for url, account in (("http://198.51.100.7:1", "0x" + "11" * 20), ("http://127.0.0.1:1", "nobody")):
        added = invoked(
            "gateway", "add", "--config", config, "--operator", "5f" * 32, "--url", url, "--account", account
        )
        assert (added.exit_code, config.read_bytes()) == (2, before)
    added = invoked("gateway", "add", "--config", config, "--operator", "5f" * 32, "--url", "http://127.0.0.1:1")
    assert (added.exit_code, "without an account" in added.stderr) == (2, True)
    assert not any(
        (tmp_path / "gateway" / "keys" / name).stat().st_mode & 0o077 for name in ("tenant.secret", "s3-keys.json")
    )


@pytest.mark.long
def test_second_s3_key_is_made_beside_the_first(tmp_path):
    said = begun(tmp_path / "gateway", CODE)
    config = Path(said["config"])
    account = "0x" + "11" * 20
    added = invoked("gateway", "add", "--config", config, "--operator", "5f" * 32, "--url", "http://127.0.0.1:1",
                    "--account", account)  # fmt: skip
    assert added.exit_code == 0, added.output
    made = json.loads(invoked("gateway", "key", "--config", config, "--json").stdout)
    keys = json.loads((tmp_path / "gateway" / "keys" / "s3-keys.json").read_text())["keys"]
    assert [one["access_key"] for one in keys] == [said["s3_access_key"], made["s3_access_key"]]


def test_objects_are_named_by_bucket_and_key(tmp_path):
    assert invoked("rm", "ward-3", HUTONG_STORAGE_KEY="hk_x").exit_code == 2
    assert invoked("status").exit_code == 2
