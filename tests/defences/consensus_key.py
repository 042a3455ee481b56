"""Defences of a validator's consensus key: encrypted at rest, or with a signer that refuses what a node must not get."""

from tests.defences.defence import Defence

SERVER = "relay/hub/remote_signer/server.py"
CLIENT = "relay/hub/remote_signer/client.py"
TURNS = "relay/hub/remote_signer/turns.py"
CODEC = "relay/hub/remote_signer/codec.py"
KEY_FILE = "relay/hub/home/key_file.py"
START = "relay/hub/process/start.py"
DUE = "relay/hub/network/due_signatures.py"
REMOTE = "relay/hub/remote_signer/test_remote_signer.py"
COMMANDS = "relay/hub/remote_signer/test_signer_commands.py"
DUE_TEST = "relay/hub/network/test_due_signatures.py"
KEY_COMMAND = "relay/cli/hub/test_hub_key_command.py"

CONSENSUS_KEY = (
    Defence(
        "a signer's record before every signature",
        "relay/hub/engine/signer.py",
        "        if record != self.record:\n            self._keep(record)\n        return signed\n",
        "        return signed\n",
        (f"{REMOTE}::test_attack_C45_hub_a_lying_node_gets_no_second_vote_at_one_height_round_and_step",),
    ),
    Defence(
        "a height belongs to one node",
        TURNS,
        "        if height <= turn.above:\n",
        "        if False:\n",
        (f"{REMOTE}::test_attack_C40_hub_two_nodes_that_ask_one_signer_never_share_a_height",),
    ),
    Defence(
        "whose turn it is stands on disk",
        TURNS,
        "            write_durably(self._path, encode_turn(turn))\n",
        "",
        (f"{REMOTE}::test_whose_turn_it_is_stands_on_disk",),
    ),
    Defence(
        "one node at a time",
        SERVER,
        "            if served != node_id:\n",
        "            if False:\n",
        (f"{REMOTE}::test_attack_C40_hub_two_nodes_that_ask_one_signer_never_share_a_height",),
    ),
    Defence(
        "chain id of a node that asks a signer",
        SERVER,
        "        if hello.chain_id != self._chain_id:\n",
        "        if False:\n",
        (f"{REMOTE}::test_votes_of_another_validator_and_of_another_chain_are_not_signed",),
    ),
    Defence(
        "a signer signs as its own validator only",
        SERVER,
        "                if vote.validator_address != self._signer.public_key.address:\n",
        "                if False:\n",
        (f"{REMOTE}::test_votes_of_another_validator_and_of_another_chain_are_not_signed",),
    ),
    Defence(
        "a signature from a signer is verified",
        CLIENT,
        "                if secp256k1.verify_low_s(self.public_key.data, digest, answer.signature):\n",
        "                if True:\n",
        (f"{REMOTE}::test_a_signature_that_is_not_the_keys_is_not_passed_on",),
    ),
    Defence(
        "a signer whose record was rolled back",
        CLIENT,
        "        if (welcome.record.height, welcome.record.round) < self._signed:\n",
        "        if False:\n",
        (f"{REMOTE}::test_a_signer_whose_record_was_rolled_back_is_not_asked",),
    ),
    Defence(
        "a signer with another key",
        CLIENT,
        "        if self._public_key is not None and welcome.public_key != self._public_key:\n",
        "        if False:\n",
        (f"{REMOTE}::test_a_signature_that_is_not_the_keys_is_not_passed_on",),
    ),
    Defence(
        "bound of a signer's frame before it is read",
        CODEC,
        '    if size > MAX_BYTES[kind]:\n        raise MalformedInput(f"frame.',
        '    if False:\n        raise MalformedInput(f"frame.',
        ("relay/hub/remote_signer/test_signer_codec.py::test_a_frame_above_its_bound_is_refused_by_its_head",),
    ),
    Defence(
        "what a signer was away for is signed when it is back",
        DUE,
        "        waiting, self._waiting = self._waiting, []\n",
        "        waiting, self._waiting = [], []\n",
        (f"{DUE_TEST}::test_a_network_that_needs_the_silent_validator_goes_on_from_where_it_stood",),
    ),
    Defence(
        "a key in two places",
        START,
        "    if (home / VALIDATOR_KEY_FILE).exists():\n",
        "    if False:\n",
        (f"{COMMANDS}::test_a_key_in_two_places_is_refused",),
    ),
    Defence(
        "a key that is with a signer is asked for nowhere else",
        KEY_FILE,
        "    if key_is_remote(home):\n",
        "    if False:\n",
        (f"{COMMANDS}::test_commands_that_need_the_key_say_that_it_is_with_a_signer",),
    ),
    Defence(
        "the next key under a password that opens the present one",
        "relay/administration/hub/candidates.py",
        "            open_key(present_key, lambda _: word)\n",
        "",
        (f"{KEY_COMMAND}::test_no_next_key_is_made_under_a_mistyped_password",),
    ),
    Defence(
        "a public key that a keystore cannot prove",
        KEY_FILE,
        "    if public_key is None:\n        raise",
        "    if False:\n        raise",
        (f"{KEY_COMMAND}::test_what_is_no_key_file_is_refused",),
    ),
)
