"""Attestor and commands of admins whose keys are with a signer: their memory is looked through while they wait for a node."""

import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest

from hutong.relay.local.keys import make_key
from tests.relay.cli.operator.test_signer_command import HUTONG, holds, key_file, private, secret_of

pytestmark = pytest.mark.long

NOBODY = "http://127.0.0.1:9"
"""Where the signer would be: it is asked when something is signed, and nothing is."""
ROUTER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


@contextmanager
def silent_node():
    """A port that takes requests and answers none; its address, and what is set at the first request."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked, held = threading.Event(), []

        def take() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                held.append(connection)
                if connection.recv(1):
                    asked.set()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for connection in held:
                connection.close()
            thread.join(10)


def relay_config(folder, url, key):
    text = (
        f'[relay]\nhome = "relay"\n\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = 7001\nconsensus = "qbft"\n'
        f'rpc = ["{url}"]\nrouter = "{ROUTER}"\nstart_height = 1\nkey = {key.toml}\n\n[[chains]]\nname = "hub"\n'
        f'kind = "hub"\nchain_id = "hutong-1"\nrpc = ["{url}"]\nconsensus_rpc = ["{url}"]\nkey = {key.toml}\n'
    )
    return private(folder / "relay.toml", text)


def attestor_config(folder, url, table):
    text = (
        f'[attestor]\nhome = "attestor"\nhttp = "127.0.0.1:0"\nkey = {table}\n\n[source]\nchain_id = 7001\nrpc = ["{url}"]\n'
        f'router = "{ROUTER}"\nconfirmations = 1\n\n[[destinations]]\nchain_id = "hutong-1"\n'
        'router = "0x0000000000000000000000000000000000001000"\nclient = "attestation-0"\n'
    )
    return private(folder / "attestor.toml", text)


def admins(key, file):
    return [
        "--hub-admin",
        str(file or key.keystore),
        *([] if file else ["--hub-admin-password-file", str(key.password_file)]),
    ]


def payer(key, file):
    return ["--keystore", str(file)] if file else list(key.options)


COMMANDS = {
    "deploy": lambda url, config, key, file: ["deploy", "--rpc", url, "--chain-id", "7001", "--development", *payer(key, file)],
    "path create": lambda url, config, key, file: [
        *("path", "create", "--config", config, "--chain", "alpha", "--yes"), *payer(key, file), *admins(key, file),
    ],
    "hub pause": lambda url, config, key, file: ["hub", "pause", "--config", config, *admins(key, file)],
    "hub set-validator": lambda url, config, key, file: [
        *("hub", "set-validator", "--config", config, "--power", "1", "--public-key"),
        *("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", *admins(key, file)),
    ],
}  # fmt: skip


def holds_the_key(command, asked, key) -> bool:
    process = subprocess.Popen(
        [*HUTONG, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        is_asking = asked.wait(60)
        found = holds(process.pid, secret_of(key))
    finally:
        process.kill()
        said, _ = process.communicate(timeout=60)
    assert is_asking, said
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_parity_row_71_no_key_is_in_the_process_of_an_admins_command(tmp_path, name):
    key = make_key(tmp_path, "admin")
    for file, is_there in ((key_file(tmp_path, "elsewhere", NOBODY, key), False), (None, True)):
        with silent_node() as (url, asked):
            command = COMMANDS[name](url, relay_config(tmp_path, url, key), key, file)
            assert holds_the_key(command, asked, key) is is_there


def test_parity_row_71_no_key_is_in_the_process_of_an_attestor(tmp_path):
    key = make_key(tmp_path, "attestor")
    elsewhere = key_file(tmp_path, "elsewhere", NOBODY, key).read_text().removeprefix("[key]\n").strip()
    for table, is_there in ((f"{{ {elsewhere.replace(chr(10), ', ')} }}", False), (key.toml, True)):
        with silent_node() as (url, asked):
            command = ["attest", "run", "--config", attestor_config(tmp_path, url, table)]
            assert holds_the_key(command, asked, key) is is_there
