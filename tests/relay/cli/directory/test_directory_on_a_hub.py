"""A department on a running hub by commands alone: entries put, updated, withdrawn; pages judged offline, mutilated ones refused."""

import json
import time
from hashlib import sha256
from random import Random

import pytest
import trio
from typer.testing import CliRunner

from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.cli.main import app
from hutong.relay.config import load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import create_keystore
from hutong.relay.services.directory.rules.records.keys import entry_id, local_of
from tests.relay.audit.records.hub_checkpoint import checkpoint_of_hub
from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG, admins
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import address_of
from tests.relay.services.directory.rules.entries.test_documents import dataset

pytestmark = pytest.mark.long
"""Over the process of a hub."""

PUBLISHER = sha256(b"traffic department").digest()
THEME = ("--theme", "urn:theme:traffic")


class Department:
    """A hub with two admins, and the account of a publisher."""

    def __init__(self, folder, hub):
        self.folder, self.hub = folder, hub
        (folder / "password").write_text("word\n")
        (folder / "password").chmod(0o600)
        for number in range(2):
            create_keystore(folder / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
        create_keystore(folder / "account.json", sha256(b"account").digest(), b"word", 2)
        (folder / "relay.toml").write_text(CONFIG.format(eth=hub.eth_url, cometbft=hub.cometbft_url))
        (folder / "relay.toml").chmod(0o600)
        self.config = ("--config", folder / "relay.toml")

    def run(self, *words, code=0):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == code, done.output
        return done.stdout

    def by(self, *words, code=0):
        signer = ("--keystore", self.folder / "account.json", "--password-file", self.folder / "password")
        return self.run("directory", *words, "--publisher", PUBLISHER.hex(), *self.config, *signer, code=code)

    def document(self, number, **changes):
        file = self.folder / f"{number}.json"
        file.write_text(json.dumps(dataset(**{"@id": f"urn:ds:{number}", **changes})))
        return file

    def trusted(self):
        async def made():
            async with open_chain(load_config(self.folder / "relay.toml").chain("hub"), Random(0)) as hub:
                return await checkpoint_of_hub(hub)

        file = self.folder / "hub.checkpoint.json"
        file.write_bytes(encode_checkpoint(trio.run(made)))
        return file


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    yield Department(folder, hub)
    assert hub.stop() == (0, "")


def test_attack_R11_pages_of_a_hub_are_judged_offline(place):
    entry = entry_id(PUBLISHER, local_of("urn:ds:1")).hex()
    files = [place.document(number) for number in range(1, 4)]
    stranger = place.by("publish", *files, code=1)
    assert "put" not in stranger
    account = f"0x{address_of(_account()).hex()}"
    named = ("hub", "directory-publisher", PUBLISHER.hex(), "--account", account)
    assert "is 0x" in place.run(*named, *place.config, *admins(place.folder))
    assert place.run("directory", "show", entry, *place.config, code=1) == f"entry: {entry}\nlive: False\n"

    done = json.loads(place.by("publish", *files, "--json"))
    assert [row["done"] for row in done] == ["put", "put", "put"] and done[0]["entry"] == entry
    changed = place.document(1, title="other", theme=["urn:theme:air"])
    done = json.loads(place.by("publish", changed, files[1], "--json"))
    assert [row["done"] for row in done] == ["update", "as before"]
    secrets = place.folder / "secrets.json"
    place.by("publish", place.document(4), "--restricted", secrets)
    (kept,) = json.loads(secrets.read_text())
    assert secrets.stat().st_mode & 0o777 == 0o600 and len(kept["salt"]) == 64
    place.by("withdraw", "urn:ds:3")
    shown = json.loads(place.run("directory", "show", entry, *place.config, "--json"))
    assert (shown["version"], shown["kind"], shown["restricted"]) == (2, "update", False)
    told = json.loads(place.run("directory", "head", *THEME, *place.config, "--json"))
    assert (told["operations"], told["entries"], told["restricted"]) == (5, 1, 0)
    told = json.loads(place.run("directory", "head", "--publisher", PUBLISHER.hex(), *place.config, "--json"))
    assert (told["operations"], told["entries"], told["restricted"]) == (6, 3, 1)

    page, record, trusted = place.folder / "page.json", place.folder / "head.record.json", place.trusted()
    place.by("publish", place.document(9, theme=[]))
    wanted = ("--first", "1", "--count", "3", "--out", page, "--record", record, "--checkpoint", trusted)
    made = json.loads(place.run("directory", "page", *THEME, *wanted, *place.config, "--json"))
    assert (made["operations"], made["shown"]) == (5, 3)
    judged = within_this_process(
        "directory", "check-page", page, record, *THEME, "--checkpoint", trusted, "--max-age", "3600"
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert judged.stdout == "operations 1 to 3 of 5, none left out\n1 entries, 0 of them restricted\n"
    _mutilated(place, page, record, trusted)
    _absent(place, trusted)


def _mutilated(place, page, record, trusted):
    def check(*more):
        return within_this_process("directory", "check-page", page, record, "--checkpoint", trusted, *more)

    said = json.loads(page.read_text())
    stale = check("--at", str(int(time.time()) + 7_200))
    assert stale.returncode == 1 and "header_is_fresh" in stale.stdout
    other = check("--theme", "urn:theme:air", "--max-age", "3600")
    assert other.returncode == 2 and "no head of this facet" in other.stderr
    page.write_text(json.dumps(said | {"operations": said["operations"][:1] + said["operations"][2:]}))
    assert check("--max-age", "3600").returncode == 1
    page.write_text(json.dumps(said | {"total": 4}))
    older = check("--max-age", "3600", "--json")
    assert older.returncode == 1 and "page_counts_as_its_head" in json.loads(older.stdout)["refusal"]
    page.write_text("{}")
    assert check("--max-age", "3600").returncode == 2


def _account():
    from eth_account import Account

    return Account.from_key(sha256(b"account").digest())


def _absent(place, trusted):
    page, record = place.folder / "none.json", place.folder / "none.record.json"
    wanted = ("--theme", "urn:theme:nobody", "--out", page, "--record", record, "--checkpoint", trusted)
    made = json.loads(place.run("directory", "page", *wanted, *place.config, "--json"))
    assert (made["operations"], made["shown"]) == (0, 0) and record.exists() and not page.exists()
    judged = within_this_process("audit", "record", record, "--checkpoint", trusted)
    assert judged.returncode == 0, judged.stdout + judged.stderr
