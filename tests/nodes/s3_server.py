"""A real S3 server for one test session: versitygw over a temporary folder, its own account, a port that the system chose."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from hutong.relay.local.ports import free_port
from tests.nodes.provision import seaweedfs_path, versitygw

START_TIMEOUT_S = 120
ACCESS_KEY, SECRET_KEY = "hutong-test", "correct-horse-battery-staple"
REGION = "us-east-1"


class S3Server:
    """`environment` is what a client of it needs, under the names that every S3 library reads."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="hutong-s3-"))
        self.process: subprocess.Popen | None = None
        self._buckets = 0
        self.port = free_port()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.port}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        for name in ("data", "sidecar"):
            (self.directory / name).mkdir(exist_ok=True)
        log = (self.directory / "log").open("ab")
        environment = {**os.environ, "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
        options = ["--port", f"127.0.0.1:{self.port}", "--region", REGION, "--quiet"]
        # Attributes of objects beside them: not every file system of a test machine has extended attributes.
        storage = ["posix", "--sidecar", self.directory / "sidecar", self.directory / "data"]
        self.process = subprocess.Popen([versitygw(), *options, *storage], env=environment, stdout=log, stderr=log)
        log.close()
        self.wait_until_it_speaks()

    def wait_until_it_speaks(self) -> None:
        """S3, which wants a signature."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=2)  # noqa: S310
            except urllib.error.HTTPError:
                return  # it speaks, and wants a signature
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.directory / "log").read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def new_bucket(self) -> str:
        """Name of an empty bucket."""
        import boto3

        self._buckets += 1
        name = f"archive-{self._buckets}"
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        client.create_bucket(Bucket=name)
        return name


class SeaweedServer(S3Server):
    """SeaweedFS, all of it in one process: another kind of engine. Only where `weed` was built by its name."""

    def start(self) -> None:
        (self.directory / "data").mkdir(exist_ok=True)
        account = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identities = {"identities": [{"name": "tests", "credentials": [account], "actions": actions}]}
        (self.directory / "s3.json").write_text(json.dumps(identities))
        ports = {name: free_port() for name in ("master", "volume", "filer")}
        grpc = {f"{name}.grpc": free_port() for name in ("master", "volume", "filer", "s3")}
        options = [f"-{name}.port={port}" for name, port in ports.items()]
        options += [f"-{name.partition('.')[0]}.port.grpc={port}" for name, port in grpc.items()]
        command = ["server", f"-dir={self.directory / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *options]
        command += ["-filer", "-s3", f"-s3.port={self.port}", f"-s3.config={self.directory / 's3.json'}"]
        command += ["-master.volumeSizeLimitMB=64", "-volume.max=20"]
        log = (self.directory / "log").open("ab")
        self.process = subprocess.Popen([seaweedfs_path(), *command], cwd=self.directory, stdout=log, stderr=log)
        log.close()
        self.wait_until_it_speaks()
