"""contracts/natspec.py and contracts/reference.py: docs/contracts says what the contracts say."""

import re

import pytest

from hutong.contracts import natspec, reference
from hutong.contracts.artifacts import artifact_names, load_artifact
from hutong.light_clients.crypto import keccak256

PAIR = {
    "name": "pair",
    "type": "tuple[2]",
    "internalType": "struct IThing.Pair[2]",
    "components": [{"name": "a", "type": "uint64", "internalType": "uint64"}],
}
ABI = [
    {"type": "constructor", "inputs": [], "stateMutability": "nonpayable"},
    {
        "type": "function",
        "name": "put",
        "inputs": [PAIR, {"name": "who", "type": "address", "internalType": "contract IThing"}],
        "outputs": [{"name": "", "type": "bool", "internalType": "bool"}],
        "stateMutability": "view",
    },
    {
        "type": "event",
        "name": "Put",
        "anonymous": False,
        "inputs": [{"name": "a", "type": "uint64", "internalType": "uint64", "indexed": True}],
    },
    {"type": "error", "name": "No", "inputs": []},
    {"type": "error", "name": "Theirs", "inputs": []},
]
USERDOC = {
    "methods": {"put((uint64)[2],address)": {"notice": "Puts | it; see docs/spec/router.md."}},
    "events": {"Put(uint64)": {"notice": "It was put."}},
    "errors": {"No()": [{"notice": "Not <so>."}]},
    "notice": "All of it.",
}
DEVDOC = {
    "title": "A thing",
    "methods": {
        "put((uint64)[2],address)": {"params": {"who": "whose\n it is"}, "returns": {"_0": "whether it was new"}}
    },
}


def unit(node_id, name, kind, members, bases=()):
    return {
        "ast": {
            "nodes": [
                {
                    "nodeType": "ContractDefinition",
                    "id": node_id,
                    "name": name,
                    "contractKind": kind,
                    "abstract": False,
                    "linearizedBaseContracts": [node_id, *bases],
                    "nodes": members,
                }
            ]
        }
    }


def member(kind, name):
    return {"nodeType": kind, "name": name}


PAIR_NODE = {
    "nodeType": "StructDefinition",
    "name": "Pair",
    "canonicalName": "IThing.Pair",
    "documentation": {"text": "@notice Two of them.\n @param a the first"},
    "members": [{"name": "a", "typeDescriptions": {"typeString": "uint64"}}],
}


def output(**changes):
    members = [member("FunctionDefinition", "put"), member("EventDefinition", "Put"), member("ErrorDefinition", "No")]
    compiled = {"abi": ABI, "userdoc": USERDOC, "devdoc": DEVDOC} | changes
    return {
        "sources": {
            "src/IThing.sol": unit(1, "IThing", "interface", [*members, PAIR_NODE]),
            "src/Thing.sol": unit(2, "Thing", "contract", [], bases=(1,)),
            "@theirs/Library.sol": unit(3, "Library", "contract", []),
        },
        "contracts": {
            "src/IThing.sol": {"IThing": compiled},
            "src/Thing.sol": {"Thing": compiled},
        },
    }


def test_a_page_has_declarations_words_and_selectors():
    page = reference.pages(reference.reference(output()))["IThing.md"]
    assert "function put(IThing.Pair[2] pair, IThing who) view returns (bool)" in page
    assert "Puts | it; see [router](../spec/router.md)." in page
    assert "| `pair` | [`IThing.Pair[2]`](IThing.md#ithingpair) |  |" in page
    assert "| `who` | [`IThing`](IThing.md) | whose it is |" in page
    assert "|  | `bool` | whether it was new |" in page
    assert f"Selector `0x{keccak256(b'put((uint64)[2],address)')[:4].hex()}`" in page
    assert "event Put(uint64 indexed a)" in page
    assert f"Topic `0x{keccak256(b'Put(uint64)').hex()}`" in page
    assert "Not &lt;so>." in page
    assert "Of OpenZeppelin's contracts." in page.split("### Theirs")[1]
    assert "| `a` | `uint64` | the first |" in page.split("### IThing.Pair")[1]


def test_what_an_interface_says_stands_on_its_page_alone():
    page = reference.pages(reference.reference(output()))["Thing.md"]
    assert "Has everything of [IThing](IThing.md)" in page
    assert "### put" not in page


def test_what_no_comment_explains_is_refused_by_name():
    with pytest.raises(reference.Undocumented, match=r"IThing\.No\(\)"):
        reference.reference(output(userdoc=USERDOC | {"errors": {}}))


def test_a_long_declaration_has_a_line_for_each_parameter():
    field = natspec.Field("parameter", "uint256", "")
    entry = natspec.Entry("function", "f", "", "", "", "", "", (field,) * 6, (), frozenset(), is_library=False)
    assert reference.declaration(entry).count("\n    uint256 parameter") == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", {"notice": "plain"}),
        (
            "@notice one\n two\n @param a the a\n @param b the\n b",
            {"notice": "one two", "param a": "the a", "param b": "the b"},
        ),
        ("", {}),
    ],
)
def test_tags_of_comments(text, said):
    assert natspec.tags(text) == said


def test_committed_pages_have_every_function_event_and_error_of_the_artifacts():
    pages = {path.stem: path.read_text() for path in reference.PAGES.glob("*.md")}
    seen = 0
    for name in artifact_names():
        artifact = load_artifact(name)
        if name not in pages:
            continue
        linked = re.search(r"Has everything of (.*);", pages[name])
        bases = re.findall(r"\[(\w+)\]", linked[1]) if linked else []
        text = "\n".join(pages[page] for page in (name, *bases))
        for item in artifact.abi:
            if item["type"] in ("function", "event", "error"):
                signature = f"{item['name']}({','.join(map(natspec.canonical_type, item['inputs']))})"
                digest = keccak256(signature.encode())
                wanted = digest.hex() if item["type"] == "event" else digest[:4].hex()
                assert f"`0x{wanted}`" in text, f"{name}.{signature}"
                seen += 1
    assert seen > 200
    assert {load_artifact(name).name for name in ("Router", "Mailbox", "Transfer", "HubClient")} <= pages.keys()


@pytest.mark.nodes
def test_committed_pages_are_what_the_sources_say():
    reference.ensure_packages()
    assert reference.differences(reference.PAGES, reference.pages(reference.reference(reference.compiled()))) == []
