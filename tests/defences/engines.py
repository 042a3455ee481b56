"""Defences against engines of cryptography that compute wrongly."""

from tests.defences.defence import Defence

SELF_TEST = "light_clients/crypto/engines/self_test.py"
SECOND = "light_clients/crypto/engines/second_judge.py"
WRONG = "light_clients/crypto/engines/test_wrong_engines.py"
SECOND_TESTS = "light_clients/crypto/engines/test_second_judge.py"
WATCH = "relay/hub/chain/test_engine_watch.py"
ENGINE_WATCH = "relay/acceleration/engine_watch.py"
RELAY_WATCH = "relay/core/watching/test_watched_engines.py"
REFUSED_HOMES = "relay/hub/process/test_hub_refused_homes.py"

ENGINES = (
    Defence(
        "an engine's answers are compared with the known ones",
        SELF_TEST,
        "if got != known.answer or",
        "if",
        (f"{WRONG}::test_a_wrong_engine_fails_its_self_test",),
    ),
    Defence(
        "an engine that gives a number for a verdict fails",
        SELF_TEST,
        " or type(got) is not type(known.answer):",
        ":",
        (f"{WRONG}::test_a_wrong_engine_fails_its_self_test",),
    ),
    Defence(
        "an engine is tried in a batch, too",
        SELF_TEST,
        "for got in (in_batch, *answering([known.question])):",
        "for got in answering([known.question]):",
        (f"{WRONG}::test_an_engine_that_is_wrong_in_a_batch_alone_is_found",),
    ),
    Defence(
        "a hub of the embedded engine tries its cryptography first",
        "relay/hub/process/start.py",
        "        try_engines_of_consensus(ALGORITHMS.values(), algorithms_of_choice(genesis.runtime))\n",
        "",
        (f"{REFUSED_HOMES}::test_a_start_with_an_engine_that_computes_wrongly_is_refused_and_names_it",),
    ),
    Defence(
        "a hub under CometBFT tries its cryptography first",
        "relay/hub/abci/start.py",
        "        try_engines_of_consensus(ALGORITHMS.values(), algorithms_of_choice(genesis.runtime))\n",
        "",
        (f"{REFUSED_HOMES}::test_a_start_with_an_engine_that_computes_wrongly_is_refused_and_names_it",),
    ),
    Defence(
        "engines of consensus are watched while a node runs",
        "relay/hub/process/start.py",
        "        nursery.start_soon(watch_engines, node.home, algorithms_of_choice(node.ledger.genesis.runtime))\n",
        "",
        ("relay/hub/chain/test_engine_watch.py::test_a_node_halts_by_it",),
    ),
    Defence(
        "an engine of consensus that answers otherwise halts the node",
        ENGINE_WATCH,
        "        raise EngineWrong(found, path)\n",
        "",
        ("relay/hub/chain/test_engine_watch.py::test_a_wrong_engine_halts_and_its_question_is_kept",),
    ),
    Defence(
        "a relay tells of an engine that computes wrongly",
        "relay/core/watching/engines.py",
        '            self._readiness.refused(f"engine of {found.algorithm}", str(error))\n',
        "",
        (f"{RELAY_WATCH}::test_attack_G18_relay_an_engine_that_computes_wrongly_is_told_of_and_asked_no_more",),
    ),
    Defence(
        "a relay tries its cryptography first",
        "relay/core/watching/engines.py",
        "            try_engine(algorithm, algorithm.engines[0])\n",
        "            pass\n",
        (f"{RELAY_WATCH}::test_a_relay_does_not_start_with_an_engine_that_fails_its_known_answers",),
    ),
    Defence(
        "SM2 is watched where genesis makes it of consensus",
        ENGINE_WATCH,
        "            if algorithm.use is Use.CONSENSUS or algorithm.name in chosen\n",
        "            if algorithm.use is Use.CONSENSUS\n",
        (f"{WATCH}::test_attack_G18_hub_an_SM2_engine_that_computes_wrongly_halts_a_hub_that_judges_by_it",),
    ),
    Defence(
        "a judge that fails halts no node",
        ENGINE_WATCH,
        "            except JudgeFailed as error:\n",
        "            except ZeroDivisionError as error:\n",
        (f"{WATCH}::test_a_judge_that_fails_is_asked_no_more_and_the_next_one_judges",),
    ),
    Defence(
        "a judge that another judge contradicts halts no node",
        ENGINE_WATCH,
        "        if second is not None and second[1] == found.got:\n",
        "        if False:\n",
        (f"{WATCH}::test_a_judge_that_the_other_judge_contradicts_halts_no_node",),
    ),
    Defence(
        "an engine of consensus that is missing stops the start",
        SELF_TEST,
        "    return sum(try_engine(algorithm, algorithm.engines[0]) for algorithm in tried)\n",
        '    return sum(try_engine(one, one.engines[0]) for one in tried if one.name != "sm2 verify")\n',
        (f"{WRONG}::test_attack_G18_hub_a_missing_engine_of_consensus_stops_the_start",),
    ),
    Defence(
        "what a fast engine refuses in bulk is judged again",
        SECOND,
        "                if second not in REFUSALS:\n",
        "                if False:\n",
        (f"{SECOND_TESTS}::test_an_engine_that_refuses_what_is_good_is_turned_off_and_the_batch_is_answered_again",),
    ),
    Defence(
        "second judgements are bounded",
        SECOND,
        "elif judge is None or self._right == 0:",
        "elif judge is None:",
        (f"{SECOND_TESTS}::test_strangers_cannot_ask_for_more_second_judgements_than_are_owed",),
    ),
    Defence(
        "no node chooses an engine of consensus",
        SECOND,
        "        if self.algorithm.use is not Use.BULK:\n",
        "        if False:\n",
        (f"{SECOND_TESTS}::test_no_node_chooses_an_engine_of_consensus",),
    ),
    Defence(
        "a run of updates that another process refused is judged here",
        "relay/verify/ethereum_runs.py",
        "said = verdicts or audit(judge_updates, run.store, run.updates, trust, now_ns)",
        "said = verdicts or ()",
        ("relay/verify/test_ethereum_runs.py::test_a_forged_update_ends_the_verdicts_where_it_stands",),
    ),
)
