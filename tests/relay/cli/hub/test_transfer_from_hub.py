"""Tokens that stayed on a hub: `hutong transfer send --chain HUB` and `balance`, over a relay as it runs."""

import json
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
import trio
from eth_abi.abi import encode
from typer.testing import CliRunner

from hutong.adapters.ics26.transactor import Transactor
from hutong.contracts.artifacts import load_artifact
from hutong.relay.cli.main import app
from hutong.relay.config import KeystoreConfig, load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import load_signer
from hutong.relay.local.keys import make_key
from tests.relay.cli.chains.hub_and_chain import CHAIN, Place

LIMIT_S = 600


def new_token(place) -> str:
    """An ERC-20 of which the owner holds 1000."""
    owner = place.keys["owner"]
    key = KeystoreConfig(keystore=Path(owner.keystore), password_file=Path(owner.password_file))

    async def deployed():
        async with open_chain(load_config(place.home / "relay.toml").chain("alpha"), Random(1)) as chain:
            code = load_artifact("ExampleToken").bytecode
            code += encode(["string", "string", "uint256"], ["Example", "EX", 1000])
            receipt = await Transactor(chain.execution, CHAIN, load_signer(key)).send(None, code)
            return "0x" + receipt.contract_address.hex()

    return trio.run(deployed)


@pytest.mark.long
def test_trial_O2_tokens_on_the_hub_go_home_by_one_command(tmp_path):
    with ExitStack() as stack:
        place = Place(tmp_path, stack)
        path = json.loads(place.create("--yes", "--transfer", place.deployment["transfer"]).stdout)
        config, owner, holder = tmp_path / "relay.toml", place.keys["owner"], make_key(tmp_path, "holder")
        with config.open("a") as file:
            ends = (
                f'{side} = {{ chain = "{path[side]["chain"]}", client = "{path[side]["client"]}" }}' for side in "ab"
            )
            file.write("\n".join(["", "[[paths]]", *ends, ""]))
        token = new_token(place)
        on_hub = f"transfer/{path['b']['client']}/{token}"

        def transfer(*words):
            done = CliRunner().invoke(app, ["transfer", *words, "--config", str(config)])
            return done.exit_code, done.stdout.strip() or done.stderr.strip()

        def holds(chain, account, named):
            words = ("--transfer", place.deployment["transfer"]) if chain == "alpha" else ()
            code, said = transfer("balance", "--chain", chain, "--holder", account, "--token", named, *words)
            return int(said.split()[0]) if code == 0 else said

        def wait_for(amount, *where):
            deadline = time.monotonic() + LIMIT_S
            while (found := holds(*where)) != amount:
                assert time.monotonic() < deadline, found
                time.sleep(0.5)

        sent = (
            "send",
            "--chain",
            "alpha",
            "--transfer",
            place.deployment["transfer"],
            "--token",
            token,
            "--amount",
            "5",
        )
        code, said = transfer(*sent, "--receiver", holder.address, "--stay-on-hub", *owner.options)
        assert code == 0, said
        place.daemon(stack, "relay", "run", "--config", str(config))
        wait_for(5, "hub", holder.address, on_hub)

        home = ("send", "--chain", "hub", "--token", on_hub, "--receiver", owner.address, *holder.options)
        for words, told, expected in (
            ((*home, "--amount", "6"), f"{holder.address} holds 5 of {on_hub} on the hub, not 6", 1),
            ((*home, "--amount", "5", "--next-client", "bft-evm-0"), "--next-client is not for tokens on the hub", 2),
            ((*home, "--amount", "5", "--client", "bft-evm-7"), "--client 'bft-evm-7' is on no path", 2),
            ((*home, "--amount", "5", "--receiver", "bob"), "--receiver is not an address", 2),
            ((*home, "--amount", "5", "--token", token), "is not how the hub names a token", 2),
        ):
            code, said = transfer(*words)
            assert code == expected and told in said, said
        assert transfer(*home, "--amount", "5") == (0, f"hub/{path['b']['client']}/1")
        wait_for(1000, "alpha", owner.address, token)
        assert holds("hub", holder.address, on_hub) == 0
