"""The words between a hub's governance module and whoever calls it are frozen: they are pinned here letter by letter."""

from hutong.light_clients.ibc import governance_abi as shapes

FUNCTIONS = {
    shapes.PROPOSE: "propose(bytes,string) (uint64)",
    shapes.VOTE: "vote(uint64,bool) (bool)",
    shapes.EXECUTE_PROPOSAL: "executeProposal(uint64) ()",
    shapes.ROTATE_KEY: "rotateKey(bytes,bytes) ()",
    shapes.PROPOSAL_COUNT: "proposalCount() (uint64)",
    shapes.GET_PROPOSAL: (
        "getProposal(uint64) (uint8,uint64,uint64,(bytes,address,uint64,uint64,uint64,string,bytes))"
    ),
    shapes.GET_RESULT: "getResult(uint64) ((uint8,uint64,uint64,uint64,(bytes,uint64)[],string))",
    shapes.GET_VOTES: "getVotes(uint64) ((bytes,bool,uint64,uint64,uint64)[])",
    shapes.GET_MEMBERS: "getMembers() ((bytes,address,uint64,uint64)[])",
    shapes.GET_SCHEDULE: "getSchedule() (uint32,uint32,uint64,uint64)",
    shapes.GET_PARAMETER: "getParameter(string) (uint64)",
}
EVENTS = {
    shapes.PROPOSED: "Proposed(uint64,address,uint8,uint64,string)",
    shapes.VOTED: "Voted(uint64,address,bool,uint64,uint64)",
    shapes.PROPOSAL_EXECUTED: "ProposalExecuted(uint64,uint8)",
    shapes.PROPOSAL_FAILED: "ProposalFailed(uint64,string)",
    shapes.KEY_ROTATED: "KeyRotated(address,bytes,bytes)",
    shapes.VALIDATOR_ADMITTED: "ValidatorAdmitted(address,bytes,uint64)",
}


def test_the_words_are_those_of_the_first_version():
    for shape, words in FUNCTIONS.items():
        assert f"{shape.name}({','.join(shape.arguments)}) ({','.join(shape.results)})" == words
    for event, signature in EVENTS.items():
        assert event.signature == signature


def test_values_go_by_their_names_both_ways():
    values = (b"\x02" * 33, True, 7, 1_700_000_000, 12)
    named = shapes.VOTE_ROW.named(values)
    assert named == {"public_key": values[0], "approve": True, "power": 7, "time_s": 1_700_000_000, "height": 12}

    class Vote:
        approve, power, time_s, height = values[1:]

    assert shapes.VOTE_ROW.values_of(Vote(), public_key=values[0]) == values
