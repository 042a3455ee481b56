"""Defences of roots over the entries of a window, and of the proofs that lead to them."""

from tests.defences.defence import Defence

ANCHOR = "contracts/src/apps/Anchor.sol"
PATHS = "contracts/src/libraries/Rfc6962.sol"
JUDGE = "relay/audit/anchored_entries.py"
TESTS = "contracts/test_anchor.py"
JUDGED = "relay/audit/test_anchored_entries.py"
WINDOWS = f"{TESTS}::test_attack_F22_contract_windows_never_overlap_go_back_or_end_later"
FORGERIES = f"{JUDGED}::test_attack_F22_forged_proofs_are_refused_by_their_rule"
RECORDS = f"{JUDGED}::test_attack_F22_a_record_of_something_else_shows_no_anchor"

ANCHORS = (
    Defence(
        "windows never overlap",
        ANCHOR,
        "            require(fromTime >= anchoredTo, WindowGoesBack(fromTime, anchoredTo));\n",
        "            require(toTime >= anchoredTo, WindowGoesBack(fromTime, anchoredTo));\n",
        (WINDOWS,),
    ),
    Defence(
        "a window is over when it is anchored",
        ANCHOR,
        "        require(toTime <= blockTime, WindowNotOver(toTime, blockTime));\n",
        "",
        (WINDOWS,),
    ),
    Defence(
        "a window ends after it begins",
        ANCHOR,
        "        require(fromTime < toTime, EmptyWindow(fromTime, toTime));\n",
        "",
        (WINDOWS,),
    ),
    Defence(
        "a tree has entries",
        ANCHOR,
        "        require(count != 0 && count <= MAX_COUNT, InvalidCount(count));\n",
        "",
        (f"{TESTS}::test_attack_F22_contract_no_tree_of_no_entries_and_no_zero_root",),
    ),
    Defence(
        "a zero root cannot be shown",
        ANCHOR,
        "        require(root != 0, ZeroRoot());\n",
        "",
        (f"{TESTS}::test_attack_F22_contract_no_tree_of_no_entries_and_no_zero_root",),
    ),
    Defence(
        "a path has the length of its place",
        PATHS,
        "        return used == siblings.length ? node : bytes32(0);\n",
        "        return node;\n",
        (f"{TESTS}::test_attack_B45_contract_a_path_is_of_one_place",),
    ),
    Defence(
        "no entry after the last",
        PATHS,
        "        if (index >= total) return 0;\n",
        "",
        (f"{TESTS}::test_attack_B45_contract_a_path_is_of_one_place",),
    ),
    Defence(
        "an entry is hashed with the prefix of leaves",
        PATHS,
        "        return sha256(abi.encodePacked(uint8(0), leaf));\n",
        "        return sha256(leaf);\n",
        (f"{TESTS}::test_attack_B47_contract_an_inner_node_is_no_entry",),
    ),
    Defence(
        "a proof's root is the anchored one",
        JUDGE,
        "            judge(root_is_anchored, shown, anchored)\n",
        "            pass\n",
        (FORGERIES,),
    ),
    Defence(
        "a proof is of the expected contract and publisher",
        JUDGE,
        "        judge(anchor_is_expected, shown.place, expected)\n",
        "",
        (FORGERIES,),
    ),
    Defence(
        "a proof is of the reader's entry",
        JUDGE,
        "            of_entry(entry_is_expected, shown, expected.entry)\n",
        "            pass\n",
        (FORGERIES,),
    ),
    Defence(
        "a tree has as many entries as the anchor says",
        JUDGE,
        "    if (shown.root, shown.proof.total) != (anchored.root, anchored.count):\n",
        "    if shown.root != anchored.root:\n",
        (FORGERIES,),
    ),
    Defence(
        "both words of an anchor are shown",
        JUDGE,
        "    if root is None or window is None:\n",
        "    root, window = root or bytes(32), window or bytes(32)\n    if not shown:\n",
        (RECORDS,),
    ),
)
