"""Defences of swaps of two legs on two chains."""

from tests.defences.defence import Defence

SWAP = "contracts/src/apps/Swap.sol"
TESTS = "contracts/swap/test_swap.py"

SWAPS = (
    Defence(
        "a leg goes on from the state that it is in",
        SWAP,
        "        require(_legs[id] == from, WrongState(id, _legs[id]));\n",
        "        require(_legs[id] == from || to == LegState.Paid, WrongState(id, _legs[id]));\n",
        (f"{TESTS}::test_attack_F17_contract_a_leg_is_paid_once_whoever_asks_again",),
    ),
    Defence(
        "only a packet of the swap's own port asks for a leg",
        SWAP,
        "            sourcePort.equal(PORT) && destPort.equal(PORT) && version.equal(VERSION) && encoding.equal(ENCODING),\n",
        "            destPort.equal(PORT) && version.equal(VERSION) && encoding.equal(ENCODING),\n",
        (f"{TESTS}::test_attack_F17_contract_a_leg_is_paid_once_whoever_asks_again",),
    ),
    Defence(
        "leg B is for one route",
        SWAP,
        "        return keccak256(abi.encode(opened, route, keccak256(abi.encode(terms))));\n",
        '        return keccak256(abi.encode(opened, opened ? route : "evm-ba-0", keccak256(abi.encode(terms))));\n',
        (f"{TESTS}::test_attack_F17_contract_terms_bind_parties_and_route",),
    ),
    Defence(
        "only a party puts in its leg",
        SWAP,
        "        require(msg.sender == party, OnlyParty(party, msg.sender));\n",
        "",
        (f"{TESTS}::test_attack_F17_contract_terms_bind_parties_and_route",),
    ),
    Defence(
        "only the taker takes leg B back",
        SWAP,
        "        require(msg.sender == terms.taker, OnlyParty(terms.taker, msg.sender));\n",
        "",
        (f"{TESTS}::test_attack_F17_contract_neither_leg_is_paid_without_the_other",),
    ),
    Defence(
        "a pause is no refusal of a swap",
        SWAP,
        "        if (paused() || _reentrancyGuardEntered()) {\n",
        "        if (_reentrancyGuardEntered()) {\n",
        (f"{TESTS}::test_attack_E20_contract_pause_of_swaps_loses_nothing",),
    ),
    Defence(
        "only the configured hub forwards swaps",
        SWAP,
        "        require(bytes(_hubClientId).length != 0 && localClient.equal(_hubClientId), NotHubClient(localClient));\n",
        "",
        (f"{TESTS}::test_attack_F9_contract_hub_brings_swaps_under_the_origin_that_it_stamped",),
    ),
    Defence(
        "a token that keeps a fee is no leg",
        SWAP,
        "        _checkDelta(token, before, IERC20(token).balanceOf(address(this)), amount);\n",
        "        _checkDelta(token, before, before + amount, amount);\n",
        (f"{TESTS}::test_attack_F5_contract_token_with_a_fee_is_no_leg",),
    ),
)
