"""`[[issuers]]`: one sentence for each mistake, with what to do."""

import pytest

from hutong.relay.config import ConfigError, PathEnd, parse_config
from hutong.relay.core.observing.issuers import PushedIssuer
from hutong.relay.core.observing.watched import issuers_over
from tests.relay.config.test_observation_config import CHAINS, CONTRACT

ID = "a1" * 32
DID = f"did:hutong:hutong:{ID}"
PUSH = f'{{ chain = "alpha", cache = "{CONTRACT}" }}'
ALPHA = PathEnd(chain="alpha", client="client-0")


def issuer(*, name="clinic", did=DID, lists="[0]", push=PUSH, more="") -> str:
    return f'[[issuers]]\nname = "{name}"\nissuer = "{did}"\nlists = {lists}\npush_to = [{push}]\n{more}\n'


def config(*issuers: str, directory):
    return parse_config((CHAINS + "\n".join(issuers)).encode(), "relay.toml", directory)


def test_issuers_are_brought_over_the_path_with_their_hub(tmp_path):
    found = config(issuer(more="interval_s = 10"), issuer(name="two", lists="[1, 7]"), directory=tmp_path)
    did = bytes.fromhex(ID)
    pushed = (PushedIssuer("clinic", did, (0,), 10), PushedIssuer("two", did, (1, 7), None))
    assert issuers_over(found, ALPHA) == {bytes.fromhex(CONTRACT[2:]): pushed}
    assert issuers_over(found, PathEnd(chain="hub", client="bft-evm-0")) == {}


MISTAKES = {
    "an id alone": (issuer(did=f"0x{ID}"), "looks like a private key"),
    "another method": (issuer(did="did:web:example.org"), "issuer: must be a DID of a hub: did:hutong:<hub>:<id>"),
    "capitals": (issuer(did=DID[:-2] + "A1"), "issuer: must be a DID of a hub"),
    "another hub": (
        issuer(did=DID.replace(":hutong:hutong", ":hutong:hutong-1")),
        "issuer: is a DID of the hub 'hutong-1', which is not in [[chains]]; use a DID of one of: hutong",
    ),
    "no lists": (issuer(lists="[]"), "lists: "),
    "a list twice": (issuer(lists="[3, 3]"), "lists: names a list twice"),
    "a list below 0": (issuer(lists="[-1]"), "lists.0: "),
    "no caches": (issuer(push=""), "push_to: "),
    "a reader": (issuer(push=PUSH.replace("cache", "reader")), "push_to.0.cache: field required"),
    "not an address": (issuer(push=PUSH.replace("5FbDB", "5fbDB")), "cache: has a wrong EIP-55 checksum"),
    "a Cosmos chain": (issuer(push=PUSH.replace("alpha", "simd")), "no EVM chain is named 'simd'; use one of: alpha"),
    "a chain without a path": (
        issuer(push=PUSH.replace("alpha", "lonely")),
        "push_to.0.chain: 0 paths lead from hub to lonely; add their path to [[paths]]",
    ),
    "a chain twice": (
        issuer(push=f"{PUSH}, {PUSH.replace('5FbDB2', '5fbdb2').lower()}"),
        "push_to.1.chain: names a chain twice; name one cache for each chain",
    ),
    "an interval of nothing": (issuer(more="interval_s = 0"), "interval_s: is less than 1"),
    "a key that is not known": (issuer(more='pushed_to = "0"'), "pushed_to: unknown key; remove it"),
    "a name with spaces": (issuer(name=" clinic"), "name: must be 1 to 64 printable characters"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_one_sentence(tmp_path, mistake):
    text, expected = MISTAKES[mistake]
    with pytest.raises(ConfigError) as refused:
        config(text, directory=tmp_path)
    said = [str(one) for one in refused.value.problems]
    assert any(one.startswith("issuers.0") and expected in one for one in said), said


def test_names_and_lists_stand_once(tmp_path):
    with pytest.raises(ConfigError) as refused:
        config(issuer(), issuer(lists="[1, 0]"), directory=tmp_path)
    assert [str(one) for one in refused.value.problems] == [
        "issuers.1.name: is also issuers.0; give each its own name",
        "issuers.1.lists: 0 of this issuer is also brought by issuers.0; take it out",
    ]
