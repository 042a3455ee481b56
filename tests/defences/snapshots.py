"""Defences of snapshots: what a joining node believes."""

from tests.defences.defence import Defence

RESTORING = "relay/hub/application/snapshot/restoring.py"
ANCESTRY = "relay/hub/application/snapshot/ancestry.py"
TRAVERSAL = "relay/evm/vm/state_traversal.py"
STATE_SYNC = "relay/hub/joining/state_sync.py"
TESTS = "relay/hub/joining/test_hub_snapshot_lies.py"
REVISION = "relay/hub/joining/test_hub_joining_revision.py"
JOINT = f"{REVISION}::test_attack_C42_ancestors_across_the_joint_are_those_that_genesis_names"
LIES = f"{TESTS}::test_every_lie_of_a_snapshot_is_named_and_leaves_the_node_at_genesis"
CRASHES = "relay/hub/joining/test_hub_snapshot_crashes.py::test_a_crash_at_any_write_leaves_genesis_or_the_whole_and_the_next_try_succeeds"

SNAPSHOTS = (
    Defence(
        "what left the state since genesis is gone in a restored node",
        "relay/hub/application/snapshot/restoring.py",
        "        for row, value in (*gone, *version_rows(height, self._app_hash)):\n",
        "        for row, value in version_rows(height, self._app_hash):\n",
        ("relay/hub/joining/test_hub_snapshot.py",),
    ),
    Defence(
        "root of the restored tree",
        RESTORING,
        "        if self._tree.root != self._app_hash:\n",
        "        if False:\n",
        (LIES,),
    ),
    Defence(
        "hash of each EVM record",
        TRAVERSAL,
        "        if record_hash != expected.hash:\n",
        "        if False:\n",
        (LIES,),
    ),
    Defence(
        "EVM state whole",
        RESTORING,
        "        if expected is not None:\n",
        "        if False:\n",
        (LIES,),
    ),
    Defence(
        "nothing after the EVM state",
        TRAVERSAL,
        "        if not self._stack:\n            raise",
        "        if not self._stack:\n            return keccak(record)\n            raise",
        (LIES,),
    ),
    Defence(
        "headers linked",
        ANCESTRY,
        "        if self._last_hash is not None and named != self._last_hash:\n",
        "        if False:\n",
        (LIES,),
    ),
    Defence(
        "the end of the revision before is the one that genesis names",
        ANCESTRY,
        '            named = b"" if continues is None else continues.block_hash\n',
        '            named = self._last_hash or b""\n',
        (JOINT,),
    ),
    Defence(
        "ancestors are of the revision before",
        ANCESTRY,
        "            return continues.chain_id\n",
        '            return "hutong-2" if height == continues.height else continues.chain_id\n',
        (JOINT,),
    ),
    Defence(
        "a snapshot is of a block of its revision",
        ANCESTRY,
        "    if height <= genesis.base_height:\n",
        "    if False:\n",
        (f"{REVISION}::test_the_joint_itself_is_no_place_for_a_snapshot",),
    ),
    Defence(
        "the state of a later revision is that of the first genesis",
        RESTORING,
        "        if self._genesis_digest != origin:\n",
        "        if False:\n",
        (f"{REVISION}::test_a_snapshot_of_another_origin_is_refused",),
    ),
    Defence(
        "trusted app hash in the last header",
        ANCESTRY,
        "        if header.app_hash != self._app_hash:\n",
        "        if False:\n",
        (LIES,),
    ),
    Defence(
        "first block after a snapshot is the one it named",
        "relay/hub/application/application.py",
        "        self._check_snapshot(request)\n",
        "",
        (f"{TESTS}::test_a_chain_of_forged_headers_is_found_before_the_first_block_is_executed",),
    ),
    Defence(
        "chunk is the manifest's",
        STATE_SYNC,
        "            check_chunk(running.manifest, index, chunk)\n",
        "            pass\n",
        (f"{TESTS}::test_a_damaged_chunk_is_named_its_sender_rejected_and_the_right_one_taken_after_it",),
    ),
    Defence(
        "mark of an unfinished restoration",
        STATE_SYNC,
        "            WritableTable(batch, RESTORING_TABLE).put(_MARK, snapshot.hash)\n",
        "            pass\n",
        (CRASHES,),
    ),
)
