"""Which tests stand for which line of the attack checklist: docs/attacks.md counts them, docs/attacks.json names them.

A test belongs to a line by its name, `test_attack_<CODE>_…`, and to a column by its folder.

    python -m tests.attack_index            write both files
    python -m tests.attack_index --check    exit 1 if either file is not what the tests say
    python -m tests.attack_index C32 …      print the tests of these lines
"""

import ast
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from tests.defences import DEFENCES

ROOT = Path(__file__).resolve().parent.parent

PAGE = ROOT / "docs" / "attacks.md"
DATA = ROOT / "docs" / "attacks.json"
NAME = re.compile(r"test_attack_([A-I][0-9]{0,2})_")
COLUMNS = {
    "library": ("tests/light_clients/",),
    "hub": ("tests/relay/hub/", "tests/relay/evm/"),
    "contract": ("tests/contracts/",),
    "relay": ("tests/relay/", "tests/adapters/"),
    "model": ("tests/models/",),
}
LATER = "waits for a later issue"

LINES: dict[str, tuple[str, str]] = {
    "A": ("the Poly line and other known losses: a message can never call what holds keys, roots or roles", ""),
    "B1": ("leaf prefix padded or truncated", ""),
    "B2": ("part of the key moved into the leaf prefix", ""),
    "B3": ("leaf length, prehash and hash operations exchanged", ""),
    "B4": ("inner node as leaf, leaf as inner node", ""),
    "B5": ("IAVL inner prefix: varints, lengths, both sides filled", ""),
    "B6": ("IAVL leaf with wrong size, height or trailing bytes", ""),
    "B7": ("inner suffix of a wrong length", ""),
    "B8": ("inner prefix beginning with the leaf prefix", ""),
    "B9": ("path of no, the most, one more and 10 000 steps", ""),
    "B10": ("empty or exchanged key and value", ""),
    "B11": ("wrong, empty, short, long or zero root", ""),
    "B12": ("proof list reversed, short, long, of the wrong kind", ""),
    "B13": ("proof for another store with a matching sub-root", ""),
    "B14": ("proof specs taken from the message", ""),
    "B15": ("batch, compressed, unknown or non-canonical proof messages", ""),
    "B20": ("neighbours under different roots", ""),
    "B21": ("a lone neighbour that is not the outermost", ""),
    "B22": ("neighbours with a key between, swapped, identical", ""),
    "B23": ("target present, or equal to or prefix of a neighbour", ""),
    "B24": ("no neighbours, empty paths, uneven depths", ""),
    "B25": ("SMT: raw key order, placeholder where a sibling exists", ""),
    "B26": ("neighbour padding forged to hide a sibling", ""),
    "B27": ("absence at a stale root", ""),
    "B30": ("embedded child as hash reference and reverse", ""),
    "B31": ("malformed extension and branch nodes", ""),
    "B32": ("leaf path shorter, longer or diverging", ""),
    "B33": ("value in the branch's own slot", ""),
    "B34": ("RLP: non-minimal, trailing, bombs, huge lengths", ""),
    "B35": ("absence by a proof that stops early or misses nodes", ""),
    "B36": ("empty trie; account absent, storage absent, no code", ""),
    "B37": ("proof for another address, slot or mapping", ""),
    "B38": ("zero word as member, padding, 33 bytes", ""),
    "B39": ("extra, duplicate and too many nodes", ""),
    "B40": ("storage root without an account proof", ""),
    "B45": ("short proof valid at many indices, index beyond width", ""),
    "B46": ("generalized index of another field", ""),
    "B47": ("second preimage: a 64-byte leaf", ""),
    "C1": ("exactly two thirds, exactly the trust level", ""),
    "C2": ("a validator counted twice", ""),
    "C3": ("address not derived from the key", ""),
    "C4": ("nil, absent, prevote and proposal signatures counted", ""),
    "C5": ("signature over another chain, height, round, block or time", ""),
    "C6": ("commit of another header or height", ""),
    "C7": ("validator sets not under their hashes, or swapped", ""),
    "C8": ("too little overlap, adjacent set break", ""),
    "C9": ("header time at and around its bounds", ""),
    "C10": ("trusting period at and around its end", ""),
    "C11": ("height and revision of another chain or not above", ""),
    "C12": ("powers negative, zero, overflowing; set empty, of one, of 10 000", ""),
    "C13": ("empty app hash, validator hashes", ""),
    "C14": ("ed25519 edge cases", ""),
    "C15": ("conflicting and time-warped headers freeze, equal ones do nothing", ""),
    "C16": ("evidence that proves nothing must not freeze", ""),
    "C17": ("valid evidence freezes everything until recovery", ""),
    "C18": ("recovery with an unfit substitute", ""),
    "C19": ("client upgrade", ""),
    "C20": ("client states with unfit parameters", ""),
    "C30": ("participation at two thirds, bitfields of wrong length or content", ""),
    "C31": ("signed, attested and finalized slots out of order or in the future", ""),
    "C32": ("committee of another period, unproven, exchanged or skipped", ""),
    "C33": ("finality and execution branches of another header or body; attested for finalized", ""),
    "C34": ("domain of another fork or chain, fork boundary", ""),
    "C35": ("bytes that are not BLS keys or signatures, rogue keys, wrong aggregate", ""),
    "C36": ("stale update rewinds nothing", ""),
    "C37": ("two finalized blocks of a slot freeze", ""),
    "C40": ("double signature: refused by the signer, punished by clients", ""),
    "C41": ("a proposer's two blocks", ""),
    "C42": ("votes of an older round, height or chain", ""),
    "C43": ("validator-set change at the very height of a header", ""),
    "C44": ("clock skew among validators", ""),
    "C45": ("crash at every write point never signs twice", ""),
    "C46": ("partition and heal", ""),
    "C47": ("a skip of a block signed by too few, by strangers, twice, or of another block, state or chain", ""),
    "C48": ("a skip beside votes for the executed state: by one key, or as certificate and commit", ""),
    "C50": ("reorganisation below the confirmation depth", ""),
    "C51": ("low difficulty, stretched times, retarget at a boundary", ""),
    "C52": ("two versions of one message", ""),
    "C53": ("valid work on another parent, below the median time, of an old version", ""),
    "D1": ("one attestor counted twice", ""),
    "D2": ("high s, other v, compact and zero signatures", ""),
    "D3": (
        "strangers, members of an earlier set, rotation and its window",
        "the contract's set changes by recovery alone",
    ),
    "D4": ("thresholds and sets that are not a quorum", ""),
    "D5": ("replay to another chain, router, client, network, fork", ""),
    "D6": ("state attested as packets and reverse", ""),
    "D7": ("attestation of another height, zero and wrong units", ""),
    "D8": ("conflicting attestations freeze", ""),
    "D9": ("packet lists: empty, repeated, huge, of another path, zero as member", ""),
    "D10": ("encodings that a lax decoder takes; parsed after verification", ""),
    "D11": ("attestor that is wrong, slow or silent", ""),
    "D12": ("attestor that disagrees with the quorum", ""),
    "E1": ("receive twice, everywhere", ""),
    "E2": ("receive and timeout at the very second", ""),
    "E3": ("timeout with an old or forged view", ""),
    "E4": ("acknowledge and timeout in every wrong order", ""),
    "E5": ("each packet field changed alone", ""),
    "E6": ("a byte moved between neighbouring fields", ""),
    "E7": ("packet at another client", ""),
    "E8": ("malformed acknowledgements", ""),
    "E9": ("second payload fails", "not offered: packets carry one payload, more are refused"),
    "E10": ("asynchronous acknowledgements", ""),
    "E11": ("re-entrancy from callbacks", ""),
    "E12": ("callbacks that run out of gas, loop or return much", ""),
    "E13": ("unfit timeouts on send", ""),
    "E14": ("send on unusable clients, register twice", ""),
    "E15": ("sequences", ""),
    "E16": ("replay after pruning", LATER + " (receipts are never pruned)"),
    "E17": ("ordered delivery", "not offered: refused"),
    "E18": ("forwarding failures and refunds", ""),
    "E19": ("rate limits and refunds", ""),
    "E20": ("pause with packets in flight", ""),
    "F1": ("supply conserved over any interleaving", ""),
    "F2": ("voucher returned through another client, traces that a hostile chain makes up", ""),
    "F3": ("malformed denominations, and those that read as another", ""),
    "F4": ("amounts that two sides read differently", ""),
    "F5": ("tokens with fees, callbacks, false answers, no code", ""),
    "F6": ("native and wrapped, token zero, decimals", ""),
    "F7": ("refund to an account that cannot receive it; refund twice", ""),
    "F8": ("sender who did not sign; receiver who cannot receive", ""),
    "F9": ("escrows and vouchers that share a key", ""),
    "F10": ("NFTs", "not offered: refused"),
    "F11": ("accounts of remote senders; direct calls", ""),
    "F12": ("system targets called from a packet", ""),
    "G1": ("malicious or lagging endpoints", ""),
    "G2": ("events that state does not confirm", ""),
    "G3": ("kill between the four steps", ""),
    "G4": ("nonces", ""),
    "G5": ("Redis lost, flushed, repeated", ""),
    "G6": ("poison messages", ""),
    "G7": ("another relayer wins", ""),
    "G8": ("gas and fees", ""),
    "G9": ("spam", LATER + " (filters)"),
    "G10": ("client near expiry without traffic", ""),
    "G11": ("misbehaviour watcher", ""),
    "G12": ("host clock wrong, chain halted or restarted from genesis", ""),
    "G13": ("configuration errors refused at start", ""),
    "G14": ("secrets", ""),
    "G15": ("API", ""),
    "G16": ("admin actions", LATER),
    "G17": ("upgrades keep thresholds and roots", LATER),
    "G18": ("two implementations, equal verdicts", "tests/oracle: three verdicts on every case"),
    "H": ("decoders are total, bounded and canonical", ""),
    "I1": ("model: one packet, two relayers, skew, reorganisation, one and two hops", ""),
    "I2": ("model: concurrent client updates", ""),
    "I3": (
        "model: nothing while not active",
        "in I1: the hub's client of the next chain forged upon, frozen, recovered",
    ),
    "I4": ("model: consensus with Byzantine validators", ""),
    "I5": ("model: relayer queue with a crash at every step", ""),
}

INCIDENTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Poly Network 2021", "a message calls what holds the keys", ("A", "F12")),
    ("Qubit 2022", "transfer of a token without code succeeds", ("F5", "F6")),
    ("Wormhole 2022", "the caller brings the verifier", ("A", "B14", "D3")),
    ("Ronin 2022, 2024", "keys stolen; threshold zero after an upgrade", ("D1", "D4")),
    ("Harmony Horizon 2022", "two of five keys are enough", ("D4",)),
    ("Nomad 2022", "the default value is trusted", ("A", "B11", "C20")),
    ("BNB Bridge 2022", "a proof byte that is not hashed", ("B5", "B7")),
    ("Dragonberry 2022", "forged absence", ("B20", "B21", "B22", "B23", "B26")),
    ("Multichain 2023", "all keys under one person", ("D3", "D4")),
    ("Orbit Chain 2023", "keys stolen; nothing limits the loss", ("E19", "D4")),
    ("Huckleberry 2023", "events of what was rolled back", ("G2",)),
    ("ibc-go ASA-2024-007", "commitment deleted after the callback", ("E11", "E4")),
    ("ibc-go ISA-2025-001, ASA-2025-004", "an acknowledgement that nodes read differently", ("E8", "F4", "H")),
    ("Snowbridge 2026", "a short proof valid at many indices", ("B45",)),
    ("Union #935", "account proof of another contract", ("B37", "B40")),
    ("eureka #387, #395", "attested for finalized, another clock for timeouts", ("C33", "E2", "E3", "D7")),
)
"""Incident, what went wrong, and the lines whose tests stand for its class."""


Tests = dict[str, dict[str, list[str]]]
"""Code -> column -> `path::test`."""


def found() -> Tests:
    """By the names of the tests and their folders."""
    tests: Tests = defaultdict(lambda: defaultdict(list))
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        relative = path.relative_to(ROOT).as_posix()
        column = next((name for name, folders in COLUMNS.items() if relative.startswith(folders)), "other")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (match := NAME.match(node.name)):
                tests[match[1]][column].append(f"{relative}::{node.name}")
    return tests


def by_line() -> Tests:
    """The tests of every line of the checklist. Exits where a test names a line that is not in it."""
    tests = found()
    unknown = sorted(set(tests) - set(LINES))
    if unknown:
        raise SystemExit(f"tests named after lines that are not in the checklist: {', '.join(unknown)}")
    return tests


def page(tests: Tests) -> str:
    rows = [
        "# Attacks",
        "",
        "Each line of the attack checklist, and how many tests stand for it in each implementation. An empty cell in a line",
        "without a remark means that the line does not concern that implementation. The names of the tests are in",
        "[attacks.json](attacks.json); `python -m tests.attack_index C32` prints those of a line, and without a line it",
        "writes this page and that file. CI checks both.",
        "",
        "| line | attack | " + " | ".join(COLUMNS) + " | remark |",
        "| --- | --- | " + " | ".join("---" for _ in COLUMNS) + " | --- |",
    ]
    open_lines = []
    for code, (title, remark) in LINES.items():
        counts = [str(len(tests[code][column])) if tests[code][column] else "" for column in COLUMNS]
        note = remark
        if not any(counts) and not remark:
            note = "no test yet"
            open_lines.append(code)
        rows.append(f"| {code} | {title} | " + " | ".join(counts) + f" | {note} |")
    if open_lines:
        rows += ["", f"Lines without a test: {', '.join(open_lines)}."]
    return "\n".join([*rows, *incident_rows(tests), *defence_rows(), ""])


def data(tests: Tests) -> str:
    """Every test by line and column, and every defence with the tests that notice when it is off; one name a line."""
    lines = {code: {column: tests[code][column] for column in COLUMNS if tests[code][column]} for code in LINES}
    defences = {
        group: {defence.name: {"file": defence.file, "tests": list(defence.tests)} for defence in listed}
        for group, listed in DEFENCES.items()
    }
    return json.dumps({"lines": lines, "defences": defences}, indent=1, ensure_ascii=False) + "\n"


def incident_rows(tests: Tests) -> list[str]:
    """Line A: one row an incident."""
    rows = ["", "## Line A: known losses", "", "| incident | what went wrong | tests by line |", "| --- | --- | --- |"]
    for incident, wrong, codes in INCIDENTS:
        counted = {code: sum(map(len, tests[code].values())) for code in codes}
        shown = ", ".join(f"{code}: {number}" for code, number in counted.items())
        rows.append(f"| {incident} | {wrong} | {shown} |")
    return rows


def defence_rows() -> list[str]:
    """What `python -m tests.defences` turns off, counted by group."""
    rows = [
        "",
        "## Defences turned off",
        "",
        "`python -m tests.defences` turns each rule off in a copy of the source and demands that the tests which stand for it",
        "fail there. CI runs it. [attacks.json](attacks.json) names each rule, its file and its tests.",
        "",
        "| rules of | rules | files | tests |",
        "| --- | --- | --- | --- |",
    ]
    for group, defences in DEFENCES.items():
        files = {defence.file for defence in defences}
        tests = {test for defence in defences for test in defence.tests}
        rows.append(f"| {group} | {len(defences)} | {len(files)} | {len(tests)} |")
    return rows


def main() -> int:
    tests = by_line()
    made = {PAGE: page(tests), DATA: data(tests)}
    if "--check" in sys.argv[1:]:
        stale = [path for path, text in made.items() if not path.is_file() or path.read_text() != text]
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the tests say: run `python -m tests.attack_index`")
        return 1 if stale else 0
    codes = sys.argv[1:]
    if unknown := [code for code in codes if code not in LINES]:
        print(f"the checklist has no line {', '.join(unknown)}")
        return 2
    for name in (name for code in codes for names in tests[code].values() for name in names):
        print(name)
    if not codes:
        for path, text in made.items():
            path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
