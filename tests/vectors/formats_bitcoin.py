"""Area bitcoin: header chains, forks, inclusion proofs, whole blocks and the functions of summa's SPV libraries."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hutong.light_clients.bitcoin import (
    BitcoinClient,
    BlockHeader,
    ClientState,
    Header,
    HeaderTree,
    MerkleBranch,
    Network,
    Transaction,
    decode_block_header,
    decode_consensus_state,
    decode_headers,
    decode_merkle_block,
    decode_transaction,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_merkle_block,
    headers_needed_from,
    parameters_of,
    state_from_ancestors,
)
from hutong.light_clients.bitcoin.chain import Run, Weighed
from hutong.light_clients.bitcoin.chain import judge_run as judge_headers
from hutong.light_clients.bitcoin.merkle import branch_root, merkle_root, not_ambiguous, partial_tree_matches
from hutong.light_clients.bitcoin.messages import op_return_data
from hutong.light_clients.bitcoin.networks import MAX_FUTURE_BLOCK_TIME_S, RETARGET_INTERVAL
from hutong.light_clients.bitcoin.predicates import header_not_from_future, headers_linked, meets_target, proof_of_work
from hutong.light_clients.bitcoin.types import HEADER_BYTES, hash256
from hutong.light_clients.bitcoin.wire import Reader, compact_size, decode_block, read_inputs, read_outputs
from hutong.light_clients.bitcoin.work import retargeted_bits, target_of, work_of
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    VERIFY,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    Updated,
)
from tests.vectors.vector_registry import Entry, Group, Verification, runs

# Signet's blocks count by a signature; its headers keep mainnet's rules under this limit.
SIGNET_LIMIT = 0x377AE << 8 * 27
MAX_FILE_HEADERS = 1_000_000
CLIENT = BitcoinClient()
DEPTH = 6
BLOCK_SIGOPS_LIMIT = 20_000
MAX_STRIPPED_BLOCK_BYTES = 1_000_000


def network_of(name: str) -> Network:
    return Network[{"testnet": "testnet3"}.get(name, name).upper()]


def pow_limit(params: dict[str, Any]) -> int:
    name = params.get("network", "mainnet")
    return SIGNET_LIMIT if name == "signet" else parameters_of(network_of(name)).pow_limit


def from_hex(text: Any, size: int | None = None) -> bytes:
    """Strict: the case is refused where it is no hex, or not `size` bytes."""
    if not isinstance(text, str) or re.fullmatch(r"(0x)?([0-9a-fA-F]{2})*", text) is None:
        raise MalformedInput("hex", "is not hex", got=text)
    data = bytes.fromhex(text.removeprefix("0x"))
    if size is not None and len(data) != size:
        raise MalformedInput("hex", f"must be {size} bytes", got=len(data))
    return data


def demand(holds: bool, predicate: str, reason: str = "does not hold") -> None:
    if not holds:
        raise PredicateFailed(predicate, reason)


def judge_work(header: BlockHeader, limit: int) -> None:
    proof_of_work(header.bits, header.block_hash, limit)


# --- header chains


@runs("bitcoin-headers-bin")
def headers_bin(entry: Entry, group: Group) -> Iterator[Verification]:
    """The client's own rules from the first block whose context is in the file; work and links alone below it."""
    first, last = entry.params["first_height"], entry.params["last_height"]
    headers = decode_headers(entry.bytes(), most=MAX_FILE_HEADERS)
    assert len(headers) == last - first + 1
    limit = pow_limit(entry.params)
    network = entry.params.get("network", "mainnet")
    root = next((height for height in range(first, last) if headers_needed_from(height) >= first), None)

    def judge_run():
        if root is not None and network != "signet":
            parameters = parameters_of(network_of(network))
            trusted = state_from_ancestors(headers[: root - first + 1], first, parameters)
            now_ns = max(header.time_s for header in headers) * NANOSECONDS_PER_SECOND
            run = Run(trusted, headers[root - first + 1 :], parameters)
            weighed = judge_headers(VERIFY, run, now_ns)
            if len(run.headers) > DEPTH:
                follow(weighed, network_of(network), now_ns)

    for index, header in enumerate(headers):
        height = first + index

        def judge(index=index, header=header, height=height):
            judge_work(header, limit)
            if index:
                headers_linked(header, headers[index - 1].block_hash, height)
            if network in ("mainnet", "signet") and height % RETARGET_INTERVAL == 0 and index >= RETARGET_INTERVAL:
                before = headers[index - RETARGET_INTERVAL : index]
                expected = retargeted_bits(before[-1].bits, before[0].time_s, before[-1].time_s, limit)
                demand(header.bits == expected, "retarget")
            if height == last:
                judge_run()

        yield Verification(f"header {height}", judge)


def follow(run: Weighed, network: Network, now_ns: int) -> None:
    """A client is created at the run's root and brought to its end, a period at most a step; nothing false comes with it."""
    client = ClientState(network, b"\x51", DEPTH, 10**9, Height(0, run.trusted.height), run.trusted.chainwork)
    state = encode_client_state(client)
    states = MemoryConsensusStates({client.latest_height: encode_consensus_state(run.trusted)})
    CLIENT.create(state, encode_consensus_state(run.trusted), run.trusted.timestamp_ns)
    at, last = run.trusted.height, run.tip.height - DEPTH + 1
    while at < last:
        to = min(last, at + RETARGET_INTERVAL)
        shown = run.run.headers[at - run.trusted.height : to - run.trusted.height + DEPTH - 1]
        update = Header(Height(0, at), Height(0, to), shown)
        light = replace(update, headers=(*shown[:-1], replace(shown[-1], nonce=shown[-1].nonce ^ 1)))
        if network is not Network.REGTEST:  # where every second hash is good enough
            with pytest.raises(PredicateFailed):
                CLIENT.verify_header(state, states, encode_header_message(light), now_ns)
        verdict = CLIENT.verify_header(state, states, encode_header_message(update), now_ns)
        assert isinstance(verdict, Updated), verdict
        demand(decode_consensus_state(verdict.consensus_state) == run.at(to), "state")
        state, states = verdict.client_state, states.with_state(verdict.height, verdict.consensus_state)
        at = to


@runs("bitcoin-retarget-boundaries-json")
def retarget_boundaries(entry: Entry, group: Group) -> Iterator[Verification]:
    limit = pow_limit(entry.params)
    items = entry.json()
    parsed = {item["height"]: decode_block_header(from_hex(item["raw"])) for item in items}
    previous = None
    for item in items:

        def judge(item=item, previous=previous):
            height, header = item["height"], parsed[item["height"]]
            demand(header.block_hash[::-1] == from_hex(item["hash"], 32), "hash")
            demand((header.bits, header.time_s) == (int(item["bits"], 16), item["time"]), "fields")
            judge_work(header, limit)
            first, last = parsed.get(height - RETARGET_INTERVAL), parsed.get(height - 1)
            if height % RETARGET_INTERVAL == 0 and first is not None and last is not None:
                headers_linked(header, last.block_hash, height)
                expected = retargeted_bits(last.bits, first.time_s, last.time_s, limit)
                demand(header.bits == expected, "retarget", f"{header.bits:08x} for {expected:08x}")
            blocks = 0 if previous is None else height - previous["height"]
            if blocks == 1 or (previous is not None and blocks == height % RETARGET_INTERVAL):
                # All blocks between the two entries have the bits of the later one: they are of its period.
                added = int(item["chainwork"], 16) - int(previous["chainwork"], 16)
                demand(added == blocks * work_of(header.bits), "chainwork")
            elif height == 0:
                demand(int(item["chainwork"], 16) == work_of(header.bits), "chainwork")

        yield Verification(f"header {item['height']}", judge)
        previous = item


@runs("bitcoin-stale-fork-json")
def stale_fork(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()
    limit = pow_limit(entry.params)
    headers = {name: decode_block_header(from_hex(case[name]["raw"])) for name in case}

    def run():
        for name, header in headers.items():
            demand(header.block_hash[::-1] == from_hex(case[name]["hash"], 32), "hash")
            demand((header.bits, header.time_s) == (int(case[name]["bits"], 16), case[name]["time"]), "fields")
            judge_work(header, limit)
        parent = headers["parent"]
        parameters = parameters_of(network_of(entry.params.get("network", "mainnet")))
        above = case["parent"]["height"] + 1
        if 0 in (above % RETARGET_INTERVAL, (above + 1) % RETARGET_INTERVAL):
            # The bits follow from headers that the file does not hold: links and work alone.
            for child, of in (("stale", "parent"), ("canonical", "parent"), ("next_canonical", "canonical")):
                headers_linked(headers[child], headers[of].block_hash, above)
            best = work_of(headers["canonical"].bits) + work_of(headers["next_canonical"].bits)
            demand(best > work_of(headers["stale"].bits), "most_work")
            return
        # What the file does not hold of the parent's ancestors: one period's bits, times well apart.
        ancestors = tuple(
            BlockHeader(parent.version, bytes(32), bytes(32), parent.time_s - 1_800 * back, parent.bits, 0)
            for back in range(case["parent"]["height"] - headers_needed_from(case["parent"]["height"]), 0, -1)
        )
        root = state_from_ancestors((*ancestors, parent), case["parent"]["height"] - len(ancestors), parameters)
        now_ns = (headers["next_canonical"].time_s + MAX_FUTURE_BLOCK_TIME_S) * NANOSECONDS_PER_SECOND
        for order in (("stale", "canonical"), ("canonical", "stale")):
            tree = HeaderTree(root, parameters)
            for name in order:
                tree.add(headers[name], now_ns)
            demand(tree.tip.block_hash == headers[order[0]].block_hash, "first_seen_stays")
            tree.add(headers["next_canonical"], now_ns)
            demand(tree.tip.block_hash == headers["next_canonical"].block_hash, "most_work")
            demand(tree.confirmations(headers["canonical"].block_hash) == 2, "confirmations")
            demand(tree.confirmations(headers["stale"].block_hash) == 0, "confirmations")

    yield Verification("most work is chosen", run)


@runs("electrum-checkpoints-json", "ckb-tx-json")
def facts(entry: Entry, group: Group) -> Iterator[Verification]:
    yield from ()


# --- inclusion


def merkle_block(data: bytes, params: dict[str, Any]) -> None:
    block = decode_merkle_block(data)
    demand(encode_merkle_block(block) == data, "canonical")
    judge_work(block.header, pow_limit(params))
    matches = partial_tree_matches(block.tree, block.header.merkle_root)
    positions = params.get("tx_positions")
    demand(positions is None or sorted(matches) == sorted(positions), "positions", f"matches at {sorted(matches)}")


@runs("bitcoin-merkleblock-bin")
def merkleblock_bin(entry: Entry, group: Group) -> Iterator[Verification]:
    yield Verification("partial tree", lambda: merkle_block(entry.bytes(), entry.params))


@runs("bitcoin-merkleblock-hex")
def merkleblock_hex(entry: Entry, group: Group) -> Iterator[Verification]:
    yield Verification("partial tree", lambda: merkle_block(from_hex(entry.text().strip()), entry.params))


# --- whole blocks


def root_of(transactions: tuple[Transaction, ...]) -> bytes:
    return merkle_root([transaction.txid for transaction in transactions])


@runs("bitcoin-block-raw")
def block_raw(entry: Entry, group: Group) -> Iterator[Verification]:
    def run():
        header, transactions = decode_block(entry.bytes())
        judge_work(header, pow_limit(entry.params))
        demand(root_of(transactions) == header.merkle_root, "merkle_root")
        expected = entry.params.get("block_hash")
        demand(expected is None or header.block_hash[::-1] == from_hex(expected, 32), "block_hash")

    yield Verification("block", run)


def check_block(data: bytes, *, check_work: bool, now_s: int, limit: int) -> None:
    """Bitcoin Core's `CheckBlock` without signature operations of scripts that the file's cases do not reach."""
    header, transactions = decode_block(data)
    if check_work:
        judge_work(header, limit)
    header_not_from_future(header.time_s, 0, now_s * NANOSECONDS_PER_SECOND)
    demand(root_of(transactions) == header.merkle_root, "merkle_root")
    stripped = HEADER_BYTES + len(compact_size(len(transactions))) + sum(len(t.serialized) for t in transactions)
    demand(stripped <= MAX_STRIPPED_BLOCK_BYTES, "size")
    demand(transactions[0].is_coinbase, "first_is_coinbase")
    demand(not any(transaction.is_coinbase for transaction in transactions[1:]), "one_coinbase")
    demand(len({t.txid for t in transactions}) == len(transactions), "no_transaction_twice")
    demand(legacy_sigops(transactions) <= BLOCK_SIGOPS_LIMIT, "signature_operations")
    for transaction in transactions:
        check_transaction(transaction)


def check_transaction(transaction: Transaction) -> None:
    spent = [i.spent for i in transaction.inputs]
    demand(len(set(spent)) == len(spent), "no_input_twice")
    total = 0
    for output in transaction.outputs:
        total += output.value_sat
        demand(output.value_sat <= 21 * 10**14 and total <= 21 * 10**14, "money_range")
    if transaction.is_coinbase:
        demand(2 <= len(transaction.inputs[0].script) <= 100, "coinbase_script_length")
    else:
        demand(not any(point.is_null for point in spent), "no_null_input")


def legacy_sigops(transactions: tuple[Transaction, ...]) -> int:
    """OP_CHECKSIG counts one, OP_CHECKMULTISIG twenty; pushes are skipped."""
    return sum(
        sigops_of(script)
        for transaction in transactions
        for script in (*(i.script for i in transaction.inputs), *(o.script for o in transaction.outputs))
    )


def sigops_of(script: bytes) -> int:
    count = at = 0
    while at < len(script):
        opcode = script[at]
        at += 1
        if opcode <= 0x4B:
            at += opcode
        elif opcode <= 0x4E:
            width = 1 << (opcode - 0x4C)
            at += width + int.from_bytes(script[at : at + width], "little")
        elif opcode in (0xAC, 0xAD):
            count += 1
        elif opcode in (0xAE, 0xAF):
            count += 20
    return count


@runs("bitcoin-checkblock-json")
def checkblock(entry: Entry, group: Group) -> Iterator[Verification]:
    limit = pow_limit(entry.params)
    for item in entry.json():
        if len(item) == 1:
            continue
        comment, check_header, check_pow, now_s, text = item

        def run(text=text, check_pow=check_pow, now_s=now_s, check_header=check_header):
            data = from_hex(text)
            if check_header:
                header = decode_block_header(data)
                header_not_from_future(header.time_s, 0, now_s * NANOSECONDS_PER_SECOND)
                if check_pow:
                    judge_work(header, limit)
            else:
                check_block(data, check_work=check_pow, now_s=now_s, limit=limit)

        yield Verification(comment, run, valid=entry.params["result"] == "valid")


# --- summa's SPV libraries


def inner_root(leaf: bytes, nodes: bytes, index: int) -> bytes:
    if len(nodes) % 32:
        raise MalformedInput("proof", "not nodes of 32 bytes", got=len(nodes))
    return branch_root(leaf, MerkleBranch(index, tuple(nodes[at : at + 32] for at in range(0, len(nodes), 32))))


def merkle_holds(case: Any) -> bool:
    proof = from_hex(case["proof"])
    if len(proof) < 32 or len(proof) % 32 or len(proof) == 64:  # a tree of one leaf is that leaf alone
        return False
    return inner_root(proof[:32], proof[32:-32], case["index"]) == proof[-32:]


def prove_holds(case: Any) -> bool:
    leaf, root = from_hex(case["txIdLE"], 32), from_hex(case["merkleRootLE"], 32)
    return inner_root(leaf, from_hex(case["proof"]), case["index"]) == root


def parses(read: Callable[[Reader], object], text: str) -> bool:
    reader = Reader(from_hex(text), "vector")
    try:
        read(reader)
        reader.end()
    except MalformedInput:
        return False
    return True


def parse_var_int(text: str) -> list[int]:
    reader = Reader(from_hex(text), "vector")
    value = reader.compact_size()
    return [reader.position - 1, value]


def output_data(text: str) -> str:
    (output,) = read_outputs(Reader(b"\x01" + from_hex(text), "vector"))
    data = op_return_data(output.script)
    if data is None:
        raise MalformedInput("output", "is no OP_RETURN of one push")
    return "0x" + data.hex()


def retargeted(case: list[dict[str, Any]]) -> int:
    """Difficulty of the next period, whose first header has the very bits that follow from the first two."""
    first, last, following = (decode_block_header(from_hex(item["hex"])) for item in case)
    expected = retargeted_bits(last.bits, first.time_s, last.time_s, pow_limit({}))
    demand(following.bits == expected, "retarget", f"{following.bits:08x} for {expected:08x}")
    return DIFFICULTY_ONE // target_of(expected)


DIFFICULTY_ONE = 0xFFFF << 208


def chain_difficulty(text: str) -> int:
    headers = decode_headers(from_hex(text))
    for index, header in enumerate(headers):
        if index:
            headers_linked(header, headers[index - 1].block_hash, index)
        judge_work(header, pow_limit({}))
    return sum(DIFFICULTY_ONE // target_of(header.bits) for header in headers)


def header_of(text: str) -> BlockHeader:
    return decode_block_header(from_hex(text))


def as_hex(data: bytes) -> str:
    return "0x" + data.hex()


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check(version: int, payload: bytes) -> str:
    data = bytes([version]) + payload
    data += hash256(data)[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def segwit_address(program: bytes) -> str:
    from bech32 import encode

    address = encode("bc", 0, program)
    assert isinstance(address, str)
    return address


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "extractMerkleRootLE": lambda text: as_hex(header_of(text).merkle_root),
    "extractTarget": lambda text: f"0x{target_of(header_of(text).bits):064x}",
    "extractPrevBlockLE": lambda text: as_hex(header_of(text).previous_block_hash),
    "extractTimestamp": lambda text: header_of(text).time_s,
    "extractDifficulty": lambda text: DIFFICULTY_ONE // target_of(header_of(text).bits),
    "work": lambda text: str(int.from_bytes(header_of(text).block_hash, "little")),
    "workHash": lambda text: as_hex(header_of(text).block_hash),
    "validateHeaderWork": lambda c: meets_target(from_hex(c["digest"], 32), as_target(c["target"])),
    "checkWork": lambda c: meets_target(header_of(c["header"]).block_hash, as_target(c["target"])),
    "validateHeaderPrevHash": lambda c: header_of(c["header"]).previous_block_hash == from_hex(c["prevHash"]),
    "validateHeaderChain": chain_difficulty,
    "verifyHash256Merkle": merkle_holds,
    "prove": prove_holds,
    "retargetAlgorithm": retargeted,
    "hash256": lambda text: as_hex(hash256(from_hex(text))),
    "hash256MerkleStep": lambda pair: as_hex(hash256(from_hex(pair[0]) + from_hex(pair[1]))),
    "calculateTxId": lambda c: as_hex(
        hash256(b"".join(from_hex(c[name]) for name in ("version", "vin", "vout", "locktime")))
    ),
    "parseVarInt": parse_var_int,
    "determineVarIntDataLength": lambda first: {0xFD: 2, 0xFE: 4, 0xFF: 8}.get(first, 0),
    "validateVin": lambda text: parses(read_inputs, text),
    "validateVout": lambda text: parses(read_outputs, text),
    "extractOpReturnData": output_data,
    "encodeP2SH": lambda text: base58check(5, from_hex(text, 20)),
    "encodeP2PKH": lambda text: base58check(0, from_hex(text, 20)),
    "encodeP2WSH": lambda text: segwit_address(from_hex(text, 32)),
    "encodeP2WPKH": lambda text: segwit_address(from_hex(text, 20)),
}


# Addresses are nothing that the client reads.
LIBRARIES = {
    "encodeP2SH": "(runner) base58check",
    "encodeP2PKH": "(runner) base58check",
    "encodeP2WSH": "bech32",
    "encodeP2WPKH": "bech32",
}


def as_target(value: Any) -> int:
    if isinstance(value, int):
        return value
    return int(value, 16) if value.startswith("0x") else int(value)


ERROR_CODES = {"getErrBadLength": 2**256 - 1, "getErrInvalidChain": 2**256 - 2, "getErrLowWork": 2**256 - 3}
"""What summa's contracts return for a chain of headers that is none; ours raise."""


@runs("summa-vectors-json")
def summa_vectors(entry: Entry, group: Group) -> Iterator[Verification]:
    for name, cases in entry.json().items():
        for index, case in enumerate(cases):
            label = f"{name}[{index}]"
            if name in ERROR_CODES:
                yield Verification(label, partial(is_code, name, case))
                continue
            function = FUNCTIONS.get(name.removesuffix("Error"))
            if function is None:
                yield Verification(label, lambda: None, unchecked=f"nothing here computes {name}")
                continue
            if name.endswith("Error"):
                yield Verification(label, partial(function, case["input"]), valid=False)
            elif any(key.endswith("Error") for key in case):
                # The strictest of the libraries refuses it, and so does Bitcoin Core: a length longer than needed.
                yield Verification(label, partial(function, case["input"]), valid=False)
            elif case["output"] is False:
                yield Verification(label, partial(refused_or_false, function, case["input"]))
            else:
                yield Verification(label, partial(is_equal, function, case), library=LIBRARIES.get(name))


def is_code(name: str, case: dict[str, Any]) -> None:
    demand(int(case["output"], 16) == ERROR_CODES[name], name)


def refused_or_false(function: Callable[[Any], Any], given: Any) -> None:
    try:
        result = function(given)
    except (MalformedInput, PredicateFailed):
        return
    demand(result is False, "false")


def is_equal(function: Callable[[Any], Any], case: dict[str, Any]) -> None:
    found, expected = as_numbers(function(case["input"])), as_numbers(case["output"])
    assert found == expected, f"{found} for {expected}"


def as_numbers(value: Any) -> Any:
    """Numbers stand as numbers or as texts of them, also within lists; other texts stay."""
    if isinstance(value, list):
        return [as_numbers(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", value):
        return int(value)
    return value


def summa_header(raw: Any) -> BlockHeader:
    header = decode_block_header(from_hex(raw["raw"]))
    demand(header.block_hash == from_hex(raw["hash"], 32), "hash")
    demand(header.merkle_root == from_hex(raw["merkle_root"], 32), "merkle_root")
    demand(header.previous_block_hash == from_hex(raw["prevhash"], 32), "prevhash")
    demand(isinstance(raw["height"], int), "height")
    judge_work(header, pow_limit({}))
    return header


def summa_proof(raw: Any) -> None:
    header = summa_header(raw["confirming_header"])
    for name, read in (("vin", read_inputs), ("vout", read_outputs)):
        demand(parses(read, raw[name]), name)
    transaction = decode_transaction(
        from_hex(raw["version"], 4) + from_hex(raw["vin"]) + from_hex(raw["vout"]) + from_hex(raw["locktime"], 4)
    )
    not_ambiguous(transaction)
    demand(transaction.txid == from_hex(raw["tx_id"], 32), "tx_id")
    root = inner_root(transaction.txid, from_hex(raw["intermediate_nodes"]), raw["index"])
    demand(root == header.merkle_root, "inclusion")


TEXT_BYTES = {"Hash160": 20, "Hash256": 32, "Hash": 32, "RawHeader": HEADER_BYTES}
FIELD_BYTES = {
    "hash": 32,
    "merkle_root": 32,
    "prevhash": 32,
    "tx_id": 32,
    "raw": HEADER_BYTES,
    "version": 4,
    "locktime": 4,
}


def summa_text(name: str, text: Any) -> None:
    """What the libraries deserialise: an object whose fields are hex, of their own length where that is fixed, or bare hex."""
    raw = loaded(text)
    if not isinstance(raw, dict):
        size = next((size for kind, size in TEXT_BYTES.items() if name.endswith(kind)), None)
        from_hex(raw, size)
        return
    header = raw.get("confirming_header", raw)
    for fields in (header, raw):
        if not isinstance(fields, dict):
            raise MalformedInput("confirming_header", "is no object", got=fields)
        for field, value in fields.items():
            if field not in ("height", "index", "confirming_header"):
                from_hex(value, FIELD_BYTES.get(field.removesuffix("_le")))


def loaded(item: Any) -> Any:
    """A JSON value, also as text within a JSON text; a text that is no JSON is refused."""
    if not isinstance(item, str):
        return item
    try:
        return json.loads(item)
    except ValueError as error:
        raise MalformedInput("text", "is no JSON", got=item[:80]) from error


@runs("summa-proofs-json")
def summa_proofs(entry: Entry, group: Group) -> Iterator[Verification]:
    for name, value in entry.json().items():
        if name == "valid":
            for index, item in enumerate(value):
                yield Verification(f"valid[{index}]", partial(summa_proof, loaded(item)))
        elif name == "validHeader":
            for index, item in enumerate(value):
                yield Verification(f"validHeader[{index}]", partial(summa_header, loaded(item)))
        elif name == "badHeaders":
            for item in map(loaded, value):
                yield Verification(item["comment"], partial(summa_header, item["header"]), valid=False)
        elif name == "badSPVProofs":
            for item in map(loaded, value):
                yield Verification(item["comment"], partial(summa_proof, item["proof"]), valid=False)
        elif name.startswith("errBad"):
            yield Verification(name, partial(summa_text, name, value), valid=False)
        else:
            yield Verification(name, lambda: None, unchecked="no rule says what it must be")
