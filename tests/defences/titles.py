"""Defences of title documents."""

from tests.defences.defence import Defence

TITLE = "contracts/src/apps/Title.sol"
LIBRARY = "contracts/src/libraries/Titles.sol"
TESTS = "contracts/title/test_title.py"

TITLES = (
    Defence(
        "a title comes home by the route alone that was sent it",
        TITLE,
        "                (state == TitleState.Leaving || state == TitleState.Away) && title.route.equal(route)\n",
        "                (state == TitleState.Leaving || state == TitleState.Away)\n",
        (f"{TESTS}::test_attack_F14_contract_only_the_route_that_was_sent_a_title_brings_it_home",),
    ),
    Defence(
        "what is not in custody does not come home",
        TITLE,
        "                (state == TitleState.Leaving || state == TitleState.Away) && title.route.equal(route)\n"
        "                    && !trace.startsWithHop(route),\n",
        "                state != TitleState.None,\n",
        (f"{TESTS}::test_attack_F14_contract_only_the_route_that_was_sent_a_title_brings_it_home",),
    ),
    Defence(
        "a title that is live is not taken in again",
        TITLE,
        "                state == TitleState.Returned || (state == TitleState.Leaving && title.route.equal(route)),\n",
        "                state != TitleState.Retired,\n",
        (f"{TESTS}::test_attack_F14_contract_lying_chain_sends_a_title_twice",),
    ),
    Defence(
        "a retired title does not come back",
        TITLE,
        "                state == TitleState.Returned || (state == TitleState.Leaving && title.route.equal(route)),\n",
        "                state != TitleState.Live,\n",
        (f"{TESTS}::test_attack_F14_contract_lying_chain_sends_a_title_twice",),
    ),
    Defence(
        "only a packet of the title's own port moves it",
        TITLE,
        "            sourcePort.equal(Titles.PORT) && destPort.equal(Titles.PORT) && version.equal(Titles.VERSION)\n",
        "            destPort.equal(Titles.PORT) && version.equal(Titles.VERSION)\n",
        (
            f"{TESTS}::test_attack_F14_contract_lying_chain_sends_a_title_twice",
            f"{TESTS}::test_attack_F9_contract_hub_brings_titles_under_the_origin_that_it_stamped",
        ),
    ),
    Defence(
        "a late timeout gives nothing back twice",
        TITLE,
        "        if (!sent.pending) return;\n",
        "",
        (f"{TESTS}::test_attack_F13_contract_timeout_by_lying_attestors_makes_no_second_title_here",),
    ),
    Defence(
        "the acknowledgement of an earlier packet settles no later one",
        TITLE,
        "title.state == TitleState.Leaving && title.sequence == sequence && title.route.equal(sent.route);\n",
        "title.state == TitleState.Leaving && sequence != 0 && title.route.equal(sent.route);\n",
        (f"{TESTS}::test_attack_F13_contract_title_is_live_once_when_moves_and_settlements_cross",),
    ),
    Defence(
        "a title comes home with its content",
        TITLE,
        "        require(title.content == content, ContentChanged(id, title.content, content));\n",
        "        require(title.content == content || id != 0, ContentChanged(id, title.content, content));\n",
        (f"{TESTS}::test_attack_F15_contract_title_comes_home_no_younger_than_it_left",),
    ),
    Defence(
        "a title comes home with counters that went on",
        TITLE,
        "            require(Titles.hasGoneOn(title.counters[i], counters[i]), CounterWentBack(id, counters[i].name));\n",
        "",
        (f"{TESTS}::test_attack_F15_contract_title_comes_home_no_younger_than_it_left",),
    ),
    Defence(
        "a counter goes one way",
        TITLE,
        "            require(counter.falling ? value < counter.value : value > counter.value, CounterWentBack(id, name));\n",
        "",
        (f"{TESTS}::test_attack_F15_contract_counters_go_one_way_by_whom_the_holder_named",),
    ),
    Defence(
        "a lien holds",
        TITLE,
        "        require(title.lienHolder == address(0), UnderLien(id, title.lienHolder));\n",
        "",
        (f"{TESTS}::test_attack_F15_contract_lien_blocks_sale_move_and_end_until_its_holder_lets_go",),
    ),
    Defence(
        "an id is minted once",
        TITLE,
        "        require(title.state == TitleState.None, TitleExists(id, title.state));\n",
        "",
        (f"{TESTS}::test_attack_F15_contract_retired_is_for_good_and_made_once",),
    ),
    Defence(
        "a pause is no refusal",
        TITLE,
        "        if (paused()) {\n",
        "        if (paused() && msg.sender == address(0)) {\n",
        (f"{TESTS}::test_attack_E20_contract_pause_stops_moves_and_settlements_and_loses_nothing",),
    ),
    Defence(
        "custody has a limit",
        TITLE,
        "        require(!custody.limited || custody.count < custody.limit, CustodyFull(route, custody.limit));\n",
        "",
        (f"{TESTS}::test_attack_E19_contract_custody_of_a_client_has_a_limit",),
    ),
    Defence(
        "only the configured hub forwards",
        TITLE,
        "        require(bytes(_hubClientId).length != 0 && localClient.equal(_hubClientId), NotHubClient(localClient));\n",
        "",
        (f"{TESTS}::test_attack_F9_contract_hub_brings_titles_under_the_origin_that_it_stamped",),
    ),
    Defence(
        "traces are read strictly",
        LIBRARY,
        "            require(_isRoute(_slice(trace, start, i)), ITitle.InvalidTrace(length));\n",
        "",
        (f"{TESTS}::test_attack_F3_contract_malformed_moves_are_refused",),
    ),
)
