"""Defences of the directory's connector: participants that end processes of others, or the connector, or keep it busy."""

from tests.defences.defence import Defence

CONNECTOR = "relay/services/directory/dspace"
ATTACKS = "relay/services/directory/dspace/test_attacks.py"
ONE_NAME = f"{ATTACKS}::test_attack_R15_a_provider_that_gives_two_processes_one_name_ends_the_second_alone"
AGREEMENTS = f"{ATTACKS}::test_attack_R15_an_agreement_takes_the_name_of_no_other"

DIRECTORY_CONNECTOR = (
    Defence(
        "an answer names no process that is there already",
        f"{CONNECTOR}/courier.py",
        "        if rows.is_taken(process, theirs):\n",
        "        if not theirs:\n",
        (ONE_NAME,),
    ),
    Defence(
        "a message names no process that is there already",
        f"{CONNECTOR}/connector.py",
        "theirs is not None and rows.is_taken(process, theirs):\n",
        "theirs is not None and not theirs:\n",
        (ONE_NAME,),
    ),
    Defence(
        "a message moves processes of its own kind",
        f"{CONNECTOR}/connector.py",
        " or process.is_transfer is not one.kind.is_of_a_transfer:\n",
        ":\n",
        (f"{ATTACKS}::test_attack_R15_messages_of_transfers_move_no_negotiation_and_the_reverse",),
    ),
    Defence(
        "an agreement has a name that no other is about to have",
        f"{CONNECTOR}/connector.py",
        "            if rows.agreement_is_of_another(name, process.pid):\n",
        "            if rows.agreement(name) is not None:\n",
        (AGREEMENTS,),
    ),
    Defence(
        "an agreement that is held is not written over",
        f"{CONNECTOR}/connector.py",
        "        if rows.agreement_is_of_another(str(process.agreement_id), process.pid):\n",
        "        if not process.agreement_id:\n",
        (AGREEMENTS,),
    ),
    Defence(
        "one participant has few of the messages on their way",
        f"{CONNECTOR}/courier.py",
        " and of_this_one < AT_ONCE_OF_ONE\n",
        "\n",
        (f"{ATTACKS}::test_attack_R16_a_participant_that_answers_slowly_keeps_no_messages_of_others_back",),
    ),
    Defence(
        "an answer comes within a time",
        f"{CONNECTOR}/courier.py",
        "            with trio.move_on_after(self._patience.answer_limit_s):\n",
        "            with trio.fail_after(self._patience.answer_limit_s):\n",
        (f"{ATTACKS}::test_attack_R16_an_answer_that_does_not_end_is_none",),
    ),
    Defence(
        "a connector keeps no cookies",
        f"{CONNECTOR}/daemon.py",
        "    return CookieJar(DefaultCookiePolicy(allowed_domains=()))\n",
        "    return CookieJar()\n",
        (f"{ATTACKS}::test_attack_R16_cookies_of_one_participant_are_shown_to_no_other",),
    ),
    Defence(
        "what was suspended is judged before it goes on",
        f"{CONNECTOR}/operator_api.py",
        "process.state in (State.REQUESTED, State.SUSPENDED):\n",
        "process.state in (State.REQUESTED,):\n",
        ("relay/services/directory/dspace/test_connector.py::test_a_transfer_runs_and_states_what_it_is_for",),
    ),
    Defence(
        "an offer without a target is of one data set",
        f"{CONNECTOR}/connector.py",
        "        if len(ours) > 1:\n",
        "        if len(ours) > len(found):\n",
        ("relay/services/directory/dspace/test_steps.py::test_an_offer_without_a_target_is_of_one_data_set",),
    ),
    Defence(
        "no two offers of a data set have one name",
        f"{CONNECTOR}/catalogue.py",
        "        if offer.id in offers:\n",
        "        if offer.id is None:\n",
        ("relay/services/directory/dspace/test_steps.py::test_a_catalogue_names_the_data_set_that_it_cannot_serve",),
    ),
    Defence(
        "a participant has a bound of open processes",
        f"{CONNECTOR}/connector.py",
        "        if rows.open_with(sender.id) >= MAX_OPEN:\n",
        "        if rows.open_with(sender.id) >= 2 * MAX_OPEN:\n",
        (f"{ATTACKS}::test_attack_R16_a_participant_has_a_bound_of_open_processes",),
    ),
)
