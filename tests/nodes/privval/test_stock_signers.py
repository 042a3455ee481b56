"""Stock signers sign for the embedded hub, and ours for stock CometBFT, while they are killed: nothing is signed twice.

`HUTONG_PRIVVAL_BLOCKS` and `HUTONG_PRIVVAL_KILLS` (30 and 3) are 500 and 20 for the figures of the acceptance.
"""

import os
import time

import pytest

from hutong.relay.hub.home.home import decode_validator_key
from hutong.relay.hub.home.last_signed import load_record
from tests.nodes.cometbft.cometbft_network import Died, new_network
from tests.nodes.privval.signed_hub import STOCK_SIGNERS, SignedHub
from tests.nodes.privval.signer_programs import hutong, new_hutong_signer
from tests.nodes.privval.tapped_socket import TappedSocket, all_signed_by, double_signs, signed_twice

pytestmark = pytest.mark.nodes

BLOCKS = int(os.environ.get("HUTONG_PRIVVAL_BLOCKS", "30"))
KILLS = int(os.environ.get("HUTONG_PRIVVAL_KILLS", "3"))
TIMEOUT_S = 600.0


@pytest.fixture
def hub(short_path):
    made = SignedHub.made(short_path)
    yield made
    made.close()


def killed_again_and_again(signer, height, wait_for_height, blocks=BLOCKS, kills=KILLS) -> list[float]:
    """Start the signer, kill it `kills` times on the way to `blocks` more blocks; seconds of each return."""
    signer.start()
    began = wait_for_height(height() + 1, TIMEOUT_S)
    returned = []
    for number in range(1, kills + 1):
        wait_for_height(began + blocks * number // (kills + 1), TIMEOUT_S)
        signer.kill()
        stands_at = height()
        started_s = time.monotonic()
        signer.start()
        # Two: one may have been signed before the kill.
        wait_for_height(stands_at + 2, TIMEOUT_S)
        returned.append(time.monotonic() - started_s)
    wait_for_height(began + blocks, TIMEOUT_S)
    return returned


def say(name: str, tap: TappedSocket, returned: list[float], began_s: float) -> None:
    print(
        f"{name}: {BLOCKS} blocks, {len(returned)} kills in {time.monotonic() - began_s:.0f} s; back after"
        f" {min(returned):.2f} to {max(returned):.2f} s; {len(tap.signed)} signatures, {len(double_signs(tap.signed))} of two"
        f" contents, {len(signed_twice(tap.signed))} places with two times, {len(tap.refused)} refused"
    )


@pytest.mark.parametrize("name", STOCK_SIGNERS)
def test_a_stock_signer_is_killed_and_the_embedded_hub_goes_on(hub, name):
    began_s = time.monotonic()
    signer = hub.signer(name)
    hub.node.start()
    returned = killed_again_and_again(
        signer, lambda: hub.node.height, lambda height, limit_s: hub.node.wait_for_height(height, limit_s)
    )
    say(name, hub.tap, returned, began_s)
    hub.stop()
    assert len(returned) == KILLS and double_signs(hub.tap.signed) == []
    assert all_signed_by(hub.tap.signed, hub.public_key)
    record = load_record(hub.home)
    assert record.height >= BLOCKS


def test_ours_is_killed_and_stock_cometbft_goes_on(short_path):
    began_s = time.monotonic()
    short_path.mkdir()
    network = new_network(short_path / "net", block_interval_ms=200, proof_block_delay_ms=100)
    (member,) = network.members
    home, chain_id = short_path / "signer", network.genesis.chain_id
    stock_key = member.home.cometbft_home / "config" / "priv_validator_key.json"
    public_key = decode_validator_key(stock_key.read_bytes()).public_key.data
    address = f"unix://{short_path}/tap"
    hutong("signer", "init", "--home", home, "--cometbft", member.home.cometbft_home, "--privval", address)
    config = member.home.cometbft_home / "config" / "config.toml"
    config.write_text(f'priv_validator_laddr = "unix://{short_path}/node"\n' + config.read_text())
    tap = TappedSocket(short_path / "tap", short_path / "node", chain_id)
    signer = new_hutong_signer(home)
    try:
        signer.start()
        member.start()
        member.wait_for_height(1)
        signer.kill()
        returned = killed_again_and_again(signer, lambda: member.height, member.wait_for_height)
    except Died as error:
        raise AssertionError(f"{error} {signer.tail()}") from None
    finally:
        for program in (signer, member.cometbft, member.application):
            if program.running:
                program.kill()
        tap.close()
    say("hutong hub signer", tap, returned, began_s)
    assert len(returned) == KILLS and double_signs(tap.signed) == [] and signed_twice(tap.signed) == []
    assert all_signed_by(tap.signed, public_key)
    assert load_record(home).height >= BLOCKS
