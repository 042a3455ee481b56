"""A running hub takes up a later rules version at a height; what the version names of libraries is pinned and installed."""

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import schedule_rules_action
from hutong.relay.hub.application.genesis import UnfitRuntime, check_runtime, encode_genesis
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.consensus_libraries import ALGORITHMS, PINNED, unfit_library
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from hutong.relay.hub.upkeep.restart import next_genesis
from tests.relay.hub.application.governance.governed_hub import GovernedHub
from tests.relay.hub.application.governance.test_hub_next_revision import at_its_end
from tests.relay.hub.application.transfer.token_chain import TokenChain
from tests.relay.hub.hub_process import new_home
from tests.relay.hub.simulated_hub import SimulatedHub, hub_genesis, sent_packet

PYPROJECT = Path(__file__).parents[5] / "pyproject.toml"


_LOADED = """
import sys
before = set(sys.modules)  # a virtual environment may load a hook of setuptools into every process
import json
from importlib import metadata
import hutong.relay.hub.application.application
owners = metadata.packages_distributions()
roots = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted({owner.lower().replace("_", "-") for root in roots for owner in owners.get(root, ())})))
"""


def hubs(version):
    yield GovernedHub((10,), rules_version=version)
    if version >= rules_versions.SETTLES_WHILE_PAUSED:
        yield SimulatedHub(genesis=hub_genesis(rules_version=version))


@pytest.mark.parametrize("version", [rules_versions.FIRST, rules_versions.SETTLES_WHILE_PAUSED])
def test_a_running_hub_takes_up_version_3_at_the_decided_height(version):
    """Governed, and under admins where they have the action; the same blocks replay to the same app hashes."""
    for hub in hubs(version):
        check_runtime(hub.genesis)
        chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
        in_flight = sent_packet(chain_a.deliver(chain_a.send_transfer(30, chain_b.client)))
        at = hub.height + 3 + NOTICE_BLOCKS
        outcome = hub.execute(schedule_rules_action(hub.next_salt(), rules_versions.BOUNDED_EXECUTION, at))
        assert outcome.events(abi.RULES_SCHEDULED_EVENT) == [(3, at)]
        while hub.height < at:
            hub.advance()
        assert chain_b.take(in_flight).ok
        assert chain_a.deliver(chain_a.send_transfer(5, chain_b.client)).ok
        versions = [hub.ledger.records.block(height).block.header.version_app for height in (at - 1, at, hub.height)]
        assert versions == [version, 3, 3]
        again = HubLedger(MemoryStore(), hub.genesis)
        for height in range(1, hub.height + 1):
            stored = hub.ledger.records.block(height)
            assert again.accepts(stored.block)
            again.apply(stored.block, stored.block_id, hub.ledger.records.commit(height))
        assert again.tip == hub.ledger.tip
        assert HubLedger(hub.store, hub.genesis).tip.app_version == 3


def test_the_next_revision_names_the_corpus_and_libraries_of_its_rules():
    hub = GovernedHub((10,), rules_version=1)
    assert hub.execute(schedule_rules_action(1, 3, hub.height + 1 + NOTICE_BLOCKS)).ok
    at_its_end(hub)
    genesis = next_genesis(hub.ledger)
    check_runtime(genesis)
    assert (genesis.rules_version, dict(genesis.runtime.libraries)) == (3, dict(PINNED))


def test_a_genesis_names_the_libraries_of_its_own_rules():
    assert dict(hub_genesis(rules_version=1).runtime.libraries) == dict(ALGORITHMS)
    assert dict(hub_genesis(rules_version=3).runtime.libraries) == dict(PINNED)


def test_audit_L4_what_consensus_needs_is_pinned_to_what_the_rules_name():
    lines = PYPROJECT.with_name("constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {name: pins.get(name) for name in PINNED} == dict(PINNED)


def test_audit_L4_every_pin_is_inside_the_range_that_pyproject_gives():
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    required = [
        Requirement(one) for extra in ("audit", "relay") for one in extras[extra] if not one.startswith("hutong")
    ]
    assert {one.name for one in required} >= set(PINNED)
    for one in required:
        assert one.specifier.contains(PINNED.get(one.name, metadata.version(one.name)), prereleases=True), one


@pytest.mark.long
def test_audit_L4_every_library_loaded_for_consensus_is_named():
    """What the application imports, and those that only wait for their first use, are in the table or listed here with why."""
    not_judging = {
        "hutong": "this software",
        "annotated-types": "types of pydantic",
        "pydantic": "models of eth-utils that nothing here makes",
        "pydantic-core": "the same",
        "typing-inspection": "the same",
        "typing-extensions": "types alone",
        "cffi": "loaded by coincurve where another library has brought it, for the compiled module that coincurve ships",
        "pycparser": "the same",
    }
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", _LOADED], cwd=PYPROJECT.parent, text=True))
    assert set(loaded) - set(PINNED) == set(not_judging) & set(loaded)
    assert {"py-evm", "py-ecc", "trie", "coincurve", "pyblst"} <= set(loaded)


@pytest.mark.parametrize("got", ["7.0.0", None])
def test_audit_L4_another_installed_version_is_refused_in_one_sentence(got):
    installed = dict(PINNED) | {"py-ecc": got}
    sentence = unfit_library(installed.get)
    assert "py-ecc" in sentence and "8.0.0" in sentence and "\n" not in sentence
    assert ("7.0.0" if got else "not installed") in sentence
    assert unfit_library(dict(PINNED).get) is None


@pytest.mark.parametrize("version", rules_versions.ALL)
def test_audit_L4_a_node_with_another_library_does_not_start(tmp_path, monkeypatch, version):
    home = new_home(tmp_path / "hub")
    genesis = hub_genesis(rules_version=version)
    (home / "genesis.json").write_bytes(encode_genesis(genesis))
    monkeypatch.setattr(
        "hutong.relay.hub.application.genesis.unfit_library", lambda chosen: unfit_library({}.get, chosen)
    )
    with pytest.raises(NodeRefused, match="is not installed, the rules of this hutong need"):
        open_node(home)


def test_audit_L4_a_genesis_of_other_libraries_is_refused_by_the_name_of_the_first():
    genesis = hub_genesis()
    libraries = dict(genesis.runtime.libraries) | {"trie": "3.9.9"}
    other = replace(genesis, runtime=replace(genesis.runtime, libraries=tuple(sorted(libraries.items()))))
    with pytest.raises(UnfitRuntime, match="rules.libraries.trie to 3.9.9, this hutong has 4.0.0"):
        check_runtime(other)
