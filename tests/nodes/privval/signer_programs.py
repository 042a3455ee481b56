"""Stock signers as their operators run them, and ours: each from a folder with a key and its record in CometBFT's form."""

import base64
import json
import subprocess
import sys
from pathlib import Path

from tests.nodes.cometbft.cometbft_network import Program
from tests.nodes.provision import priv_val_server, tmkms

KEY_FILE, STATE_FILE = "priv_validator_key.json", "priv_validator_state.json"


def hutong(*words: object) -> str:
    """What a `hutong hub` command prints."""
    command = [sys.executable, "-m", "hutong.relay.cli", "hub", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def new_priv_val_server(folder: Path, socket: Path, chain_id: str) -> Program:
    """CometBFT's own."""
    return Program(
        [
            *(str(priv_val_server()), "-addr", f"unix://{socket}", "-chain-id", chain_id),
            *("-priv-key", str(folder / KEY_FILE), "-priv-state", str(folder / STATE_FILE)),
        ],
        folder / "signer.log",
    )


def new_tmkms(folder: Path, sockets: list[Path], chain_id: str, name: str = "tmkms") -> Program:
    """tmkms with a key of secp256k1 in a file; its state is that of `folder`'s record, in a file of this `name`."""
    secret = json.loads((folder / KEY_FILE).read_bytes())["priv_key"]["value"]
    assert len(base64.b64decode(secret)) == 32
    key, state, config = (folder / f"{name}.{end}" for end in ("base64", "state.json", "toml"))
    key.write_text(secret)
    key.chmod(0o600)
    record = json.loads((folder / STATE_FILE).read_bytes())
    if not state.exists():
        step = max(0, record["step"] - 1)
        text = {"height": record["height"], "round": str(record["round"]), "step": step, "block_id": None}
        state.write_text(json.dumps(text))
    validators = "".join(
        f'\n[[validator]]\nchain_id = "{chain_id}"\naddr = "unix://{one}"\nreconnect = true\n' for one in sockets
    )
    config.write_text(
        f'[[chain]]\nid = "{chain_id}"\nstate_file = "{state}"\n'
        'key_format = { type = "bech32", account_key_prefix = "cosmospub",'
        ' consensus_key_prefix = "cosmosvalconspub" }\n'
        f'{validators}\n[[providers.softsign]]\nchain_ids = ["{chain_id}"]\nkey_type = "account"\npath = "{key}"\n'
    )
    return Program([str(tmkms()), "start", "-c", str(config)], folder / f"{name}.log")


def new_hutong_signer(home: Path) -> Program:
    """`hutong hub signer start`."""
    return Program(
        [sys.executable, "-m", "hutong.relay.cli", "hub", "signer", "start", "--home", str(home)], home / "signer.log"
    )
