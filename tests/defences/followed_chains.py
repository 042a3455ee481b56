"""Defences of bundles whose headers are updates of a light client: Clique, and validators that a contract selects."""

from tests.defences.defence import Defence

FOLLOWED = "relay/audit/followed.py"
FOLLOWING = "relay/audit/following.py"
TESTS = "relay/audit/test_followed_chains.py"
LIMITS = f"{TESTS}::test_parity_row_47_what_a_bundle_may_not_do_with_updates"
CHECKPOINTS = f"{TESTS}::test_parity_row_47_a_checkpoint_says_what_its_states_say_or_is_none"

FOLLOWED_CHAINS = (
    Defence(
        "an update starts where the one before ended",
        FOLLOWED,
        "    if got != following.height:\n",
        "    if False:\n",
        (LIMITS,),
    ),
    Defence(
        "a proof stands on the last update",
        FOLLOWED,
        "    if is_last and updated.height not in proof_heights:\n",
        "    if False:\n",
        (LIMITS,),
    ),
    Defence(
        "an update stands alone",
        FOLLOWING,
        "    if chain.validator_sets or entry.commit is not None or entry.account_proof:\n",
        "    if False:\n",
        (LIMITS,),
    ),
    Defence(
        "an update is judged by the light client's own list",
        FOLLOWED,
        "following.client.judge_header(judge, following",
        "following.client.verify_header(following",
        (f"{TESTS}::test_parity_row_47_updates_are_believed_from_the_checkpoint_on_by_the_clients_own_rules",),
    ),
    Defence(
        "a checkpoint made in memory is what its states say",
        "relay/audit/chains.py",
        "    if isinstance(trust, FollowedTrust):\n        inquiry",
        "    if False:\n        inquiry",
        (CHECKPOINTS,),
    ),
    Defence(
        "a checkpoint file is what its states say",
        "relay/archive/checkpoint.py",
        "    if isinstance(trust, FollowedTrust):\n",
        "    if False:\n",
        (CHECKPOINTS,),
    ),
)
