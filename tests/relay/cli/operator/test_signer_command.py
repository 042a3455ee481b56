"""`hutong signer`: commands and a relay whose keys are in a signer's process alone, over a real hub and a real chain."""

import json
import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest
from eth_account import Account
from typer.testing import CliRunner

from hutong.light_clients.crypto import secp256k1
from hutong.relay.cli.main import app
from hutong.relay.keys.signing_record import Signing, SigningRecord, judged_file
from tests.relay.cli.chains.hub_and_chain import CHAIN, HUB_EVM, Place
from tests.relay.keys.documents import transaction

HUTONG = [sys.executable, "-m", "hutong.relay.cli"]


def secret_of(key) -> bytes:
    return bytes(Account.decrypt(json.loads(key.keystore.read_text()), key.password_file.read_text()))


def public_key_of(key) -> str:
    return secp256k1.public_key_of(secret_of(key)).hex()


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def signer_config(folder, keys, *, listen="127.0.0.1:0", more=""):
    policy = (
        'policy = { documents = ["evm-transaction"], chains = ["%d", "%d"], creations = true, cost_per_day_wei = %d }'
    )
    tables = [
        f'[[keys]]\nkeystore = "{key.keystore}"\npassword_file = "{key.password_file}"\n{policy % (CHAIN, HUB_EVM, 10**19)}\n'
        for key in keys
    ]
    text = f'[signer]\nlisten = "{listen}"\nrecord = "signed.jsonl"\n{more}\n' + "\n".join(tables)
    return private(folder / "signer.toml", text)


@contextmanager
def signing(config):
    """The address of a running signer."""
    process = subprocess.Popen(
        [*HUTONG, "signer", "run", "--config", str(config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        ready = process.stdout.readline()
        found = re.search(r"at (http://[0-9.:]+):", ready)
        assert found is not None, process.stderr.read()
        yield found[1]
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0 and "Traceback" not in said


def key_file(folder, name, url, key):
    table = f'[key]\nkind = "eth1-signer"\nurl = "{url}"\npublic_key = "{public_key_of(key)}"\n'
    return private(folder / f"{name}.toml", table)


def holds(process_id: int, wanted: bytes) -> bool:
    """Whether the bytes stand anywhere in the memory of a process."""
    with open(f"/proc/{process_id}/maps") as maps, open(f"/proc/{process_id}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, mode, *_ = line.split()
            if not mode.startswith("rw"):
                continue
            first, last = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(first)
                if wanted in memory.read(last - first):
                    return True
            except (OSError, ValueError, OverflowError):
                continue
    return False


@contextmanager
def relaying(place, folder, keys: dict[str, str]):
    """A relay's process with these keys, by chain."""
    text = (place.home / "relay.toml").read_text()
    for name, of in (("owner", "alpha"), ("admin", "hub")):
        text = text.replace(f"key = {place.keys[name].toml}", f"key = {keys[of]}")
    ends = [
        f'{side} = {{ chain = "{end["chain"]}", client = "{end["client"]}" }}'
        for side, end in place.path.items()
        if side in "ab"
    ]
    text = text.replace('home = "relay"', f'home = "{folder / "relay"}"')
    config = private(folder / "relay.toml", "\n".join([text, "[[paths]]", *ends, ""]))
    process = subprocess.Popen([*HUTONG, "relay", "run", "--config", str(config)], stdout=subprocess.PIPE, text=True)
    try:
        assert "relay ready" in process.stdout.readline()
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 0


@pytest.mark.long
def test_parity_row_71_no_key_is_in_the_process_of_relay_or_admin(tmp_path):
    with ExitStack() as stack:
        place = Place(tmp_path, stack)
        owner, admin = place.keys["owner"], place.keys["admin"]
        config = signer_config(tmp_path, (owner, admin))
        with signing(config) as url:
            files = {name: key_file(tmp_path, name, url, place.keys[name]) for name in ("owner", "admin")}
            created = subprocess.run(
                [
                    *(*HUTONG, "path", "create", "--config", str(tmp_path / "relay.toml"), "--chain", "alpha", "--json", "--yes"),
                    *("--keystore", str(files["owner"]), "--hub-admin", str(files["admin"])),
                ],
                capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert created.returncode == 0, created.stderr
            place.path = json.loads(created.stdout)
            elsewhere = {
                chain: f'{{ kind = "eth1-signer", url = "{url}", public_key = "{public_key_of(key)}" }}'
                for chain, key in (("alpha", owner), ("hub", admin))
            }
            for name, keys, is_there in (
                ("without", elsewhere, False),
                ("with", {"alpha": owner.toml, "hub": admin.toml}, True),
            ):
                folder = tmp_path / name
                folder.mkdir(mode=0o700)
                with relaying(place, folder, keys) as process:
                    assert [holds(process.pid, secret_of(key)) for key in (owner, admin)] == [is_there] * 2
        lines = judged_file(tmp_path / "signed.jsonl").signed
        assert {line.key.hex() for line in lines} == {public_key_of(owner), public_key_of(admin)}
        assert {line.cost.place[0] for line in lines} == {str(CHAIN), str(HUB_EVM)}
        judged = json.loads(place.hutong("signer", "record", str(tmp_path / "signed.jsonl"), "--json"))
        assert judged["signatures"] == len(lines)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("127.0.0.1", "0.0.0.0"), "takes anybody"),
        (lambda text: text.replace("policy =", "# policy ="), "keys.0.policy"),
        (lambda text: text.replace('record = "signed.jsonl"', ""), "signer.record"),
        (lambda text: text.replace("creations = true", 'record = "x"'), "keys.0.policy.record"),
        (lambda text: text + text[text.index("[[keys]]") :], "is also keys.0"),
        (lambda text: text.replace("creations = true", "creation = true"), "unknown key"),
        (lambda text: text.replace("[signer]", '[signer]\ntls_key = "k"'), "needs all of"),
        (lambda text: text.replace("[[keys]]", "[[key]]"), "keys"),
        (lambda text: text.replace("[signer]", "[signer]\nrecord_lines = 1"), "signer.record_lines"),
    ],
)
def test_what_is_wrong_with_a_signers_file_is_named(tmp_path, change, said):
    from hutong.relay.local.keys import make_key

    config = signer_config(tmp_path, (make_key(tmp_path, "a"),))
    private(config, change(config.read_text()))
    done = CliRunner().invoke(app, ["signer", "run", "--config", str(config)])
    assert done.exit_code == 2 and said in done.output, done.output


def test_a_record_that_was_changed_is_refused_by_the_command(tmp_path):
    record = tmp_path / "signed.jsonl"
    record.write_text("")
    whole = CliRunner().invoke(app, ["signer", "record", str(record), "--json"])
    assert whole.exit_code == 0 and json.loads(whole.stdout)["signatures"] == 0
    record.write_text("{}\n")
    assert CliRunner().invoke(app, ["signer", "record", str(record)]).exit_code == 2


def test_full_files_of_a_record_are_judged_together_or_alone(tmp_path):
    record = SigningRecord(tmp_path / "signed.jsonl", 2)
    for nonce in range(5):
        record.append(Signing(bytes([2]) * 33, transaction(nonce), 100))
    record.close()
    newest, first, second = sorted(str(one) for one in tmp_path.iterdir())
    whole, last = (
        json.loads(CliRunner().invoke(app, ["signer", "record", *some, "--json"]).stdout)
        for some in ((newest, first, second), (second, newest))
    )
    assert (whole["signatures"], whole["after_number"], whole["last_number"]) == (5, 0, 5)
    assert (last["signatures"], last["after_number"], last["last_line"]) == (3, 2, whole["last_line"])
    done = CliRunner().invoke(app, ["signer", "record", newest, first])
    assert done.exit_code == 2 and "begins after line 4" in done.output
