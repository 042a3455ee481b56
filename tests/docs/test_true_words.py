"""What the documents say of hutong and what it does, where a machine can compare the two."""

import re
import tomllib
from pathlib import Path

import pytest

from hutong.light_clients.ethereum import NETWORKS
from hutong.light_clients.ethereum.forks import NEWEST_FORK
from hutong.light_clients.evm_header.rpc_json import AMSTERDAM_KEYS, RPC_NAMES
from hutong.light_clients.evm_header.types import OPTIONAL_FIELDS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted((*ROOT.glob("*.md"), *DOCS.rglob("*.md")))
FENCE = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def example_networks() -> list[tuple[str, str]]:
    """`network` of every chain in the TOML of a page, and in the example of the configuration's model."""
    found = []
    texts = [
        (path.relative_to(ROOT).as_posix(), text) for path in PAGES for text in FENCE.findall(path.read_text("utf-8"))
    ]
    model = page("relay/config/model.py").partition("Example:\n")[2].partition('"""')[0]
    texts.append(("relay/config/model.py", re.sub(r"^    ", "", model, flags=re.MULTILINE)))
    for where, text in texts:
        try:
            chains = tomllib.loads(text).get("chains", [])
        except tomllib.TOMLDecodeError:
            continue
        found += [(where, chain["network"]) for chain in chains if isinstance(chain, dict) and "network" in chain]
    return found


def test_parity_documented_networks_are_under_a_fork_that_is_verified():
    examples = example_networks()
    assert {where for where, _ in examples} >= {"docs/light-clients/ethereum.md", "relay/config/model.py"}
    for where, network in examples:
        if network in NETWORKS:
            assert NETWORKS[network].unsupported_from is None, f"{where}: {network} is under an unsupported fork"


def test_parity_forks_that_the_pages_name_are_those_of_the_code():
    assert f"through {NEWEST_FORK.name.title()}" in page("docs/light-clients/ethereum.md")
    for name in ("README.md", "docs/index.md", "docs/comparison.md"):
        assert re.search(rf"through {NEWEST_FORK.name.title()}", page(name), re.IGNORECASE), name
    for network in NETWORKS.values():
        activation = network.unsupported_from
        if activation is not None:
            assert f"{activation.epoch:,}".replace(",", " ") in page("docs/light-clients/ethereum.md")
    assert not set(AMSTERDAM_KEYS) & set(RPC_NAMES.values()) and OPTIONAL_FIELDS[-1] == "requests_hash"
    assert "Amsterdam's are refused as not supported" in page("docs/architecture.md")


STALE = (
    ("docs/architecture.md", "execution headers of every fork", "Amsterdam's are not read"),
    ("docs/security-model.md", "With the embedded engine, *one*", "it has several validators"),
    ("docs/security-model.md", "one signing process under the embedded engine", "it has several validators"),
    ("docs/security-model.md", "admins fixed in the genesis", "validators can govern"),
    ("docs/CHANGELOG.md", "members run CometBFT", "the embedded engine has members"),
    ("docs/index.md", "or of several under CometBFT.", "also by the embedded engine"),
    ("README.md", "or of several under CometBFT. Unaudited", "also by the embedded engine"),
    ("docs/comparison.md", "Not yet: public Ethereum", "adapter and client are there, through Fulu"),
    ("docs/comparison.md", "FISCO BCOS 2.0, Hyperledger Fabric 1.4", "WeCross has stubs for 3 and for 2"),
    ("docs/comparison.md", "keeps of every packet", "not of chains that no bundle holds"),
    ("docs/light-clients/fisco-bcos.md", "Two-way lanes use [attestors]", "never tried there"),
    ("docs/light-clients/ethereum.md", "Sepolia has scheduled it", "it is under Gloas"),
    ("docs/deploy/README.md", "are used side by side", "endpoints are a failover in order"),
    ("docs/handbook/HutongChainUnreachable.md", "a start waits for every chain", "it waits 10 s"),
)


@pytest.mark.parametrize(("name", "words", "truth"), STALE)
def test_parity_stale_words_are_gone(name, words, truth):
    assert words not in page(name), f"{name} says {words!r}, but {truth}"


@pytest.mark.parametrize(
    "words",
    [
        "IBC CLI",
        "cosmos/ibc-relayer",
        "https://github.com/lfdt-ibc/ibc-contracts",
        "https://github.com/lfdt-ibc/ibc/releases",
        "FISCO BCOS 2 and 3, Hyperledger Fabric 1.4 and 2",
        "unless the deployer of a router keeps delivery for a role",
        "Two Besu chains, with nobody in between",
    ],
)
def test_parity_section_4_stands_in_the_comparison(words):
    assert words in page("docs/comparison.md")


def test_sources_of_the_comparison_are_numbered_and_used():
    text, _, sources = page("docs/comparison.md").partition("## Sources")
    listed = [int(number) for number in re.findall(r"^(\d+)\. ", sources, re.MULTILINE)]
    assert listed == list(range(1, len(listed) + 1))
    assert {int(number) for number in re.findall(r"\[(\d+)\]", text)} == set(listed)
