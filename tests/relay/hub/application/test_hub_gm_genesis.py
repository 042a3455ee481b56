"""A genesis may name the library of SM2 and SM3: then every node must have it, and no other hub offers what it brings."""

import json
from dataclasses import replace

import pytest

from hutong.relay.hub.application import self_test
from hutong.relay.hub.application.genesis import (
    UnfitRuntime,
    check_runtime,
    decode_genesis,
    encode_genesis,
    runtime_rules,
)
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.consensus_libraries import (
    CHOSEN,
    CHOSEN_SINCE,
    GM_LIBRARY,
    PINNED,
    library_table,
    unfit_library,
)
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from hutong.relay.hub.upkeep.restart import next_genesis
from tests.relay.hub.application.gm_vectors import corpus_gm
from tests.relay.hub.application.governance.governed_hub import GovernedHub, governed_genesis
from tests.relay.hub.application.governance.test_hub_next_revision import at_its_end
from tests.relay.hub.hub_process import new_home
from tests.relay.hub.simulated_hub import hub_genesis

NAMED = hub_genesis(libraries=(GM_LIBRARY,))


def with_library(genesis, version):
    named = dict(genesis.runtime.libraries) | {GM_LIBRARY: version}
    return replace(genesis, runtime=replace(genesis.runtime, libraries=tuple(sorted(named.items()))))


def test_what_genesis_names_survives_its_encoding_and_fixes_the_runtime():
    assert decode_genesis(encode_genesis(NAMED)) == NAMED
    assert NAMED.runtime.has_gm and not hub_genesis().runtime.has_gm
    assert dict(NAMED.runtime.libraries) == {**PINNED, **CHOSEN}
    assert NAMED.runtime.self_test_corpus != hub_genesis().runtime.self_test_corpus
    check_runtime(NAMED)
    check_runtime(hub_genesis())


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0 ", ""])
def test_another_version_of_it_is_refused_by_name(version):
    with pytest.raises(UnfitRuntime, match=f"rules.libraries.gmssl-pyx to {version}, this hutong has 2.1.0") as refused:
        check_runtime(with_library(NAMED, version))
    assert "\n" not in str(refused.value)


def test_attack_G18_hub_genesis_that_names_the_library_and_not_its_corpus_is_refused():
    """Else a hub would judge by SM2 that nobody tried at its start."""
    check_runtime(with_library(NAMED, CHOSEN[GM_LIBRARY]))
    with pytest.raises(UnfitRuntime, match="self-test corpus"):
        check_runtime(with_library(hub_genesis(), CHOSEN[GM_LIBRARY]))


@pytest.mark.parametrize("version", [version for version in rules_versions.ALL if version < CHOSEN_SINCE])
def test_rules_before_it_know_no_library_of_choice(version):
    assert library_table(version, (GM_LIBRARY,)) == library_table(version)
    named = with_library(hub_genesis(rules_version=version), CHOSEN[GM_LIBRARY])
    with pytest.raises(UnfitRuntime, match="gmssl-pyx to 2.1.0, this hutong has nothing"):
        check_runtime(named)


@pytest.mark.parametrize("got", ["2.0.9", None])
def test_attack_G18_hub_installed_library_of_choice_is_the_pinned_one(got):
    everything = {**PINNED, **CHOSEN}
    assert unfit_library(everything.get, (GM_LIBRARY,)) is None
    assert unfit_library(dict(PINNED).get) is None
    sentence = unfit_library((everything | {GM_LIBRARY: got}).get, (GM_LIBRARY,))
    assert "the library gmssl-pyx" in sentence and "need 2.1.0" in sentence and "'.[gm,relay]'" in sentence
    assert "\n" not in sentence


def test_the_corpus_passes_and_is_what_its_script_writes():
    made = corpus_gm()
    assert json.loads(self_test.corpus_file(self_test.GM_CORPUS)) == made
    for vector in made["vectors"]:
        assert self_test.RUNNERS[vector["algorithm"]](vector) == vector["expected"], vector["name"]


@pytest.mark.parametrize("algorithm", ["sm2", "sm3", "fisco_update"])
@pytest.mark.long
def test_an_engine_that_judges_otherwise_stops_the_start_of_such_a_hub_alone(monkeypatch, algorithm):
    newest = rules_versions.NEWEST
    assert self_test.run_self_test(newest, with_gm=True) > self_test.run_self_test(newest)
    monkeypatch.setattr(self_test, "RUNNERS", {**self_test.RUNNERS, algorithm: lambda vector: "something else"})
    with pytest.raises(self_test.SelfTestFailed, match="would fork off the chain"):
        self_test.run_self_test(newest, with_gm=True)
    self_test.run_self_test(newest)


@pytest.mark.long
def test_a_node_without_the_library_does_not_start_and_one_with_it_does(tmp_path, monkeypatch):
    home = new_home(tmp_path / "hub")
    genesis = decode_genesis((home / "genesis.json").read_bytes())
    named = replace(genesis, runtime=runtime_rules(genesis.rules_version, (GM_LIBRARY,)))
    (home / "genesis.json").write_bytes(encode_genesis(named))
    monkeypatch.setattr(
        "hutong.relay.hub.application.genesis.unfit_library", lambda chosen: unfit_library(dict(PINNED).get, chosen)
    )
    with pytest.raises(NodeRefused, match="the library gmssl-pyx is not installed"):
        open_node(home)
    monkeypatch.undo()
    node = open_node(home)
    assert node.ledger.genesis.runtime.has_gm
    for opened in (node.signer, node.log, node.store):
        opened.close()


def test_the_next_revision_keeps_what_genesis_named():
    asked = governed_genesis((10,))
    named = replace(asked, runtime=runtime_rules(asked.rules_version, (GM_LIBRARY,)))
    hub = GovernedHub(genesis=named)
    at_its_end(hub)
    following = next_genesis(hub.ledger)
    assert following.runtime == named.runtime and following.runtime.has_gm
    check_runtime(following)
