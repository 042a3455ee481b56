"""Area mpt: EIP-1186 proofs, RLP and trie tests."""

from collections.abc import Iterator

import rlp
from trie import HexaryTrie

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import PredicateFailed, VerificationError
from hutong.light_clients.proofs import mpt
from tests.vectors.vector_registry import Entry, Group, Verification, runs


def from_hex(text: str) -> bytes:
    digits = text.removeprefix("0x")
    return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)


def word(text: str) -> bytes:
    return from_hex(text).rjust(32, b"\0")


def nodes_of(raw: list[str]) -> list[bytes]:
    return [from_hex(node) for node in raw]


def require(held: bool, predicate: str, reason: str) -> None:
    """A claim of the file that a proof does not carry is a refusal, not a crash."""
    if not held:
        raise PredicateFailed(predicate, reason)


def claimed_account(proof: dict) -> mpt.Account:
    return mpt.Account(
        int(proof["nonce"], 16), int(proof["balance"], 16), from_hex(proof["storageHash"]), from_hex(proof["codeHash"])
    )


def getproof_verifications(state_root: bytes, proof: dict, result: dict) -> Iterator[Verification]:
    nodes = nodes_of(proof["accountProof"])
    address = from_hex(proof["address"])

    def account():
        proven = mpt.verify_account(state_root, address, nodes)
        if result["account"] == "absent":
            require(proven is None, "account_matches", "the account exists")
            return None
        require(proven == claimed_account(proof), "account_matches", "the proven account differs")
        if nodes:
            try:
                mpt.verify_account(state_root, bytes(20), nodes)
            except VerificationError:
                return proven
            assert address == bytes(20), "the proof must not fit another address"
        return proven

    yield Verification(f"account {proof['address']}", account)
    for entry in proof.get("storageProof") or []:

        def slot(entry=entry):
            proven_account = account()
            storage_root = mpt.EMPTY_TRIE_ROOT if proven_account is None else proven_account.storage_root
            value = mpt.verify_storage(storage_root, word(entry["key"]), nodes_of(entry["proof"]))
            claimed = word(entry["value"])
            if result.get(entry["key"]) == "absent":
                require(value is None and not any(claimed), "slot_is_absent", "the slot is not empty")
            else:
                require(value == claimed, "word_matches", "the proven word differs")

        yield Verification(f"slot {entry['key']}", slot)


@runs("eth-getproof-json")
def getproof(entry: Entry, group: Group) -> Iterator[Verification]:
    yield from getproof_verifications(from_hex(entry.params["state_root"]), entry.json(), entry.params["result"])


@runs("eth-getproof-result-json")
def getproof_result(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()
    yield from getproof_verifications(from_hex(case["state_root"]), case["proof"], case["result"])


@runs("eth-getproof-multi-json")
def getproof_multi(entry: Entry, group: Group) -> Iterator[Verification]:
    whole = entry.json()
    for case in whole["cases"]:
        yield from getproof_verifications(from_hex(whole["state_root"]), case["proof"], case["result"])


@runs("eth-account-proof-nodes-json")
def account_nodes(entry: Entry, group: Group) -> Iterator[Verification]:
    def run():
        params = entry.params
        proven = mpt.verify_account(from_hex(params["state_root"]), from_hex(params["address"]), nodes_of(entry.json()))
        require(proven is not None, "account_matches", "the account is absent")
        require(proven.storage_root == from_hex(params["storage_root"]), "account_matches", "storage root")

    yield Verification("account", run)


@runs("near-eth-prover-json")
def near_prover(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()

    def run():
        header = mpt.decode_rlp(from_hex(case["header_data"]), "header")
        state_root = mpt.decode_fixed(header[3], "header.state_root", 32)
        leaf = mpt.walk(state_root, keccak256(from_hex(case["contract_address"])), nodes_of(case["account_proof"]))
        require(leaf == from_hex(case["expected_account_state"]), "account_matches", "the proven account differs")
        storage_root = mpt.decode_account(leaf).storage_root
        # The hashed slot stands in the file, so the walk is taken without hashing it again.
        value = mpt.walk(storage_root, from_hex(case["storage_key_hash"]), nodes_of(case["storage_proof"]))
        expected = from_hex(case["expected_storage_value"])
        require(
            (value or b"") == (rlp.encode(expected) if expected else b""), "word_matches", "the proven word differs"
        )

    yield Verification("account and slot", run)


def rlp_value(raw):
    """A vector's `in` as nested bytes."""
    if isinstance(raw, list):
        return tuple(map(rlp_value, raw))
    if isinstance(raw, str) and not raw.startswith("#"):
        return raw.encode()
    number = int(raw[1:]) if isinstance(raw, str) else raw
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


@runs("eth-rlp-test")
def rlp_test(entry: Entry, group: Group) -> Iterator[Verification]:
    for name, case in entry.json().items():
        encoded = from_hex(case["out"])

        def run(case=case, encoded=encoded):
            decoded = mpt.decode_rlp(encoded)
            assert rlp.encode(decoded) == encoded
            if case["in"] != "VALID":
                assert decoded == rlp_value(case["in"])

        yield Verification(name, run, valid=case["in"] != "INVALID")


def trie_bytes(text: str) -> bytes:
    return from_hex(text) if text.startswith("0x") else text.encode()


def proof_of(built: HexaryTrie, key: bytes) -> list[bytes]:
    """The builder's proof without the nodes that stand inside their parent, as nodes serve it."""
    encoded = [rlp.encode(node) for node in built.get_proof(key)]
    return [node for index, node in enumerate(encoded) if len(node) >= 32 or index == 0]


@runs("eth-trie-test")
def trie_test(entry: Entry, group: Group) -> Iterator[Verification]:
    """The root as the `trie` library builds it, and under it our verdict on every key, present or deleted."""
    secure = entry.params["secure"]
    for name, case in entry.json().items():

        def run(case=case):
            pairs = case["in"].items() if isinstance(case["in"], dict) else case["in"]
            content: dict[bytes, bytes | None] = {}
            built = HexaryTrie({})
            for raw_key, raw_value in pairs:
                key = trie_bytes(raw_key)
                key = keccak256(key) if secure else key
                content[key] = None if raw_value is None else trie_bytes(raw_value)
                if raw_value is None:
                    built.delete(key)
                else:
                    built.set(key, content[key])
            root = built.root_hash
            assert root == from_hex(case["root"])
            for key, value in content.items():
                assert mpt.walk(root, key, proof_of(built, key), fixed_length_keys=secure) == value
                other = key[:-1] + bytes([key[-1] ^ 1])
                if other not in content:
                    assert mpt.walk(root, other, proof_of(built, other), fixed_length_keys=secure) is None

        yield Verification(name, run)


@runs("eth-trie-nextprev-test", "eth-receipts-json")
def facts(entry: Entry, group: Group) -> Iterator[Verification]:
    entry.json()
    yield from ()
