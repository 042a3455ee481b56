"""Defences of the relay's observing: nothing is paid for what the hub would refuse, or has already."""

from tests.defences.defence import Defence

OBSERVER = "relay/core/observing/observer.py"
ROUNDS = "relay/core/observing/rounds.py"
TESTS = "relay/core/observing/test_observer.py"

OBSERVING = (
    Defence(
        "nothing is observed over a client that is not active",
        "relay/core/observing/building.py",
        "    if info.status is not ClientStatus.ACTIVE:\n",
        "    if False:\n",
        (f"{TESTS}::test_attack_J7_over_a_frozen_client_nothing_is_paid_and_it_is_said_once",),
    ),
    Defence(
        "values that are not what the proofs show are not paid for",
        "relay/core/observing/verification.py",
        "    if tuple(values) != proven:\n",
        "    if False:\n",
        (f"{TESTS}::test_attack_J5_a_source_that_shows_another_value_is_not_paid_for",),
    ),
    Defence(
        "what is as old as the record is never due",
        "relay/core/observing/due.py",
        "    if record.height >= block.height:\n        return None\n",
        "",
        ("relay/core/observing/test_due.py::test_attack_J6_nothing_older_than_the_record_is_ever_due",),
    ),
    Defence(
        "observations sent before a restart are waited for",
        ROUNDS,
        "        await pending.wait()\n",
        "        pass\n",
        (f"{TESTS}::test_attack_G3_what_was_sent_before_a_kill_is_waited_for_and_not_sent_again",),
    ),
    Defence(
        "a record that another relay keeps is left to it",
        OBSERVER,
        "        if due and (wait_s := self._turn_s(due)) > 0:\n",
        "        if False:\n",
        (f"{TESTS}::test_attack_J6_two_relays_do_not_pay_twice_where_one_is_enough",),
    ),
    Defence(
        "what opens a key is simulated before it is paid for",
        OBSERVER,
        "len(updates) == 1 and all(one.record is not None for one in group)",
        "len(updates) == 1",
        (f"{TESTS}::test_attack_J8_who_may_not_open_keys_pays_nothing",),
    ),
    Defence(
        "after a call that failed calls are simulated for a while",
        "relay/core/route/following.py",
        "        return trio.current_time() >= self._simulated_until_s\n",
        "        return True\n",
        (f"{TESTS}::test_after_a_call_that_failed_calls_are_simulated_for_a_while",),
    ),
    Defence(
        "a cause that goes on is said once",
        ROUNDS,
        "        if met != self._told:\n",
        "        if True:\n",
        (f"{TESTS}::test_a_chain_that_is_down_is_said_once_and_taken_up_again",),
    ),
    Defence(
        "a place is the one thing that may look like a private key",
        "relay/config/secrets.py",
        'r"observations\\.[0-9]{1,4}\\.(slot|key)"',
        'r"observations\\..*"',
        ("relay/config/test_observation_config.py::test_a_private_key_is_refused_everywhere_but_where_a_place_stands",),
    ),
    Defence(
        "a record of an epoch that has ended is not pushed",
        "relay/core/observing/to_readers.py",
        "            if record is not None and is_current and (have",
        "            if record is not None and (have",
        (
            "relay/core/observing/test_pushing.py::test_attack_J7_an_epoch_that_ends_is_brought_and_what_is_kept_is_refused",
        ),
    ),
    Defence(
        "an epoch that the cache does not know is brought",
        "relay/core/observing/issuers.py",
        "    if any(min(one.epoch, one.newest_epoch) < said.epoch for one in found):\n",
        "    if False:\n",
        ("relay/core/observing/test_pushing_issuers.py::test_an_epoch_alone_is_news",),
    ),
    Defence(
        "what a cache would think of an issuer is compared",
        "relay/core/observing/issuers.py",
        "        (one.root, one.flaw, one.has_ended) != (root, said.flaw, said.has_ended)\n",
        "        False\n",
        ("relay/core/observing/test_pushing_issuers.py::test_a_revoked_accreditation_above_the_issuer_is_brought",),
    ),
)
