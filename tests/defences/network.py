"""Defences of the hub's validators against their peers."""

from tests.defences.defence import Defence

HANDSHAKE = "relay/hub/network/link/handshake.py"
COMMITS = "relay/hub/consensus/commits.py"
LEDGER = "relay/hub/chain/ledger.py"
DRIVER = "relay/hub/network/peer_driver.py"
SWITCHBOARD = "relay/hub/network/switchboard.py"
TRANSPORT = "relay/hub/network/test_network_transport.py"
FOUR = "relay/hub/network/test_network_of_four.py"
CODEC = "relay/hub/network/test_network_codec.py"
BLAME = "relay/hub/network/test_network_blame.py"
END = "relay/hub/network/test_network_revision_end.py"
UNPAYABLE = "relay/hub/application/machine/test_hub_unpayable.py"
CHANGES = "relay/hub/network/test_network_changes.py"
LIARS = "relay/hub/network/test_network_liars.py"
SYNC = "relay/hub/network/test_network_block_sync.py"
OTHERS = f"{TRANSPORT}::test_whoever_is_of_another_network_is_refused_by_both_with_the_reason"
COMMIT = f"{FOUR}::test_a_commit_is_refused_at_the_field_that_is_wrong"
UNSIGNED = f"{FOUR}::test_attack_C41_hub_a_proposal_or_block_that_was_not_signed_is_its_senders_fault"

NETWORK = (
    Defence(
        "genesis of a peer", HANDSHAKE, "    if other.genesis_hash != own.genesis_hash:\n", "    if False:\n", (OTHERS,)
    ),
    Defence("chain id of a peer", HANDSHAKE, "    if other.chain_id != own.chain_id:\n", "    if False:\n", (OTHERS,)),
    Defence(
        "one key in two homes, in the handshake",
        HANDSHAKE,
        "    if other.consensus_address == own.consensus_address:\n",
        "    if False:\n",
        (OTHERS,),
    ),
    Defence(
        "one key in two homes, by its votes",
        DRIVER,
        "        if (vote.height, vote.round) > self._signed_before:\n",
        "        if False:\n",
        (f"{FOUR}::test_attack_C40_hub_a_consensus_key_in_two_homes_halts_who_sees_its_votes",),
    ),
    Defence(
        "a second connection of a peer",
        SWITCHBOARD,
        "        if record.link is not None:\n            raise",
        "        if False:\n            raise",
        (f"{TRANSPORT}::test_a_second_connection_of_a_peer_is_refused",),
    ),
    Defence(
        "who is not listed any more is left",
        SWITCHBOARD,
        "            record.leave()\n",
        "            pass\n",
        (f"{CHANGES}::test_who_is_not_listed_any_more_is_left_and_refused",),
    ),
    Defence(
        "another own address or key takes a start",
        SWITCHBOARD,
        "        if (network.listen, node_key.node_id) != (self.listen, self.node_id):\n",
        "        if False:\n",
        (f"{CHANGES}::test_another_own_address_or_key_takes_a_start_and_changes_nothing",),
    ),
    Defence(
        "who was sent away stays away",
        SWITCHBOARD,
        "        if record.score.is_banned(trio.current_time()):\n",
        "        if False:\n",
        (f"{TRANSPORT}::test_malformed_frames_send_a_peer_away_for_a_time_and_it_is_refused_until_then",),
    ),
    Defence(
        "bound of a frame before it is read",
        "relay/hub/network/link/frames.py",
        "    if size > MAX_BYTES[kind]:\n",
        "    if False:\n",
        (f"{CODEC}::test_a_frame_above_its_kinds_bound_is_refused_before_it_is_read",),
    ),
    Defence(
        "flood of frames",
        "relay/hub/network/link/link.py",
        "            if not self._allowance.take(trio.current_time()):\n",
        "            if False:\n",
        (f"{TRANSPORT}::test_a_flood_ends_the_connection_and_sends_the_peer_away",),
    ),
    Defence(
        "two thirds of a commit", COMMITS, "    if not above_two_thirds(power, total):\n", "    if False:\n", (COMMIT,)
    ),
    Defence(
        "each signature of a commit",
        COMMITS,
        "        if not vote_is_signed(chain_id, validators, vote):\n",
        "        if False:\n",
        (COMMIT,),
    ),
    Defence(
        "last commit of a proposed block",
        LEDGER,
        "        if tip.last_validators is not None:\n            check_commit",
        "        if False:\n            check_commit",
        (f"{FOUR}::test_attack_C41_hub_a_proposers_block_that_follows_from_nothing_gets_no_vote",),
    ),
    Defence(
        "signature of a proposal before its block is read",
        DRIVER,
        "            if not proposal_is_signed(state.chain_id, state.validators, proposal):\n",
        "            if False:\n",
        (UNSIGNED,),
    ),
    Defence(
        "block of a proposal is the signed one",
        DRIVER,
        "            if part_set_header(raw) != proposal.block_id.part_set_header:\n",
        "            if False:\n",
        (UNSIGNED,),
    ),
    Defence(
        "unsigned votes are blamed on their sender",
        DRIVER,
        "        if vote_is_signed(chain_id, validators, received.vote):\n",
        "        if True:\n",
        (
            f"{FOUR}::test_attack_C42_hub_votes_of_another_height_round_or_chain_from_a_peer_count_nothing",
            f"{BLAME}::test_attack_C42_hub_a_vote_that_is_not_signed_is_blamed_where_its_place_is_taken_too",
        ),
    ),
    Defence(
        "double votes reach the evidence pool",
        DRIVER,
        "        self._on_equivocation(effect)\n",
        "        pass\n",
        (f"{FOUR}::test_attack_C40_hub_a_peer_that_votes_twice_stops_nobody_and_is_handed_to_the_pool",),
    ),
    Defence(
        "nothing is signed while catching up",
        DRIVER,
        "        return recent and self._peers.highest() > self._validator.ledger.tip.height + 1\n",
        "        return False\n",
        (f"{FOUR}::test_who_lags_takes_committed_blocks_and_signs_none_of_them",),
    ),
    Defence(
        "who claims blocks must send them",
        "relay/hub/network/block_sync.py",
        "                if asked.next <= asked.last:\n",
        "                if False:\n",
        (f"{FOUR}::test_who_claims_heights_and_sends_no_blocks_is_let_go_and_silences_nobody",),
    ),
    Defence(
        "a proposal that cannot be judged is taken once",
        DRIVER,
        "            self.set_aside.add(proposal.round)\n",
        "            pass\n",
        (f"{BLAME}::test_a_proposal_with_evidence_out_of_reach_is_sent_and_judged_once_a_round",),
    ),
    Defence(
        "a node at the end of its revision says so",
        "relay/hub/engine/driver.py",
        "            self._state = RoundState(\n                self._state.chain_id, None, event.height,",
        "            _ = RoundState(\n                self._state.chain_id, None, event.height,",
        (f"{END}::test_a_laggard_takes_the_last_block_of_a_revision_from_peers_that_are_at_its_end",),
    ),
    Defence(
        "a certificate is the listed one itself",
        SWITCHBOARD,
        "        if tls.getpeercert(binary_form=True) != record.peer.certificate:\n",
        "        if False:\n",
        (f"{LIARS}::test_attack_G15_hub_a_listed_certificate_cannot_vouch_for_another_nodes_name",),
    ),
    Defence(
        "silent strangers make room for a newcomer",
        "relay/hub/network/link/greetings.py",
        "        oldest.scope.cancel()\n",
        "        pass\n",
        (
            f"{LIARS}::test_attack_G15_hub_a_peer_named_by_dns_is_let_in_while_silent_strangers_fill_the_table",
            f"{LIARS}::test_silent_connections_of_one_host_are_bounded",
        ),
    ),
    Defence(
        "silent strangers are a bounded number",
        "relay/hub/network/link/greetings.py",
        "        elif host not in self._hosts and len(strangers := self._strangers()) >= MAX_STRANGERS:\n",
        "        elif len(strangers := self._strangers()) < 0:\n",
        ("relay/hub/network/test_network_greetings.py::test_the_oldest_of_the_host_that_has_most_goes",),
    ),
    Defence(
        "blocks are kept while evidence about them counts",
        "relay/hub/chain/pruning.py",
        "        while end < most and self._application.block_time_ns(end) < horizon_ns:\n",
        "        while end < most:\n",
        ("relay/hub/chain/test_hub_pruning.py::test_a_block_goes_when_evidence_about_it_is_over_and_not_before",),
    ),
    Defence(
        "too few blocks are refused",
        "relay/hub/chain/pruning.py",
        "    if 0 < kept_blocks < least:\n",
        "    if False:\n",
        ("relay/hub/chain/test_hub_pruning.py::test_retention_from_the_commands_numbers",),
    ),
    Defence(
        "a proposer drops what cannot be paid for",
        "relay/hub/engine/driver.py",
        "        own.mempool.drop_unpayable(proposed.unpayable)\n",
        "",
        (f"{UNPAYABLE}::test_what_its_sender_cannot_pay_for_leaves_the_pool_and_is_not_judged_again",),
    ),
    Defence(
        "a proposer passes over a bounded number of senders",
        "relay/hub/application/machine/fees.py",
        "            if len(unpayable) == MAX_UNPAYABLE:\n",
        "            if False:\n",
        (f"{UNPAYABLE}::test_a_proposal_reads_no_more_accounts_than_its_bound",),
    ),
    Defence(
        "a block whose header has no hash",
        DRIVER,
        "        except VerificationError as error:\n            received.judge(Offence.INVALID_BLOCK, str(error))\n",
        "        except MalformedInput as error:\n            received.judge(Offence.INVALID_BLOCK, str(error))\n",
        (f"{LIARS}::test_attack_B1_hub_a_proposed_header_without_a_hash_ends_no_node",),
    ),
    Defence(
        "a committed block whose header has no hash",
        DRIVER,
        "        except VerificationError as error:\n            received.judge(Offence.INVALID_BLOCK, f",
        "        except MalformedInput as error:\n            received.judge(Offence.INVALID_BLOCK, f",
        (f"{LIARS}::test_attack_B1_hub_a_committed_header_without_a_hash_ends_no_node",),
    ),
    Defence(
        "whose turn a committed block was",
        DRIVER,
        "            check_turn(state.validators, block, message.commit.round)\n",
        "            pass\n",
        (
            f"{SYNC}::test_attack_C46_hub_who_was_lied_to_about_turns_halts_before_it_and_its_peers_send_each_other_away",
        ),
    ),
    Defence(
        "a full answer of blocks is no fault",
        "relay/hub/network/block_sync.py",
        "        if asked.came_bytes > MAX_ANSWER_BYTES:\n",
        "        if False:\n",
        (f"{SYNC}::test_a_peer_whose_answer_is_full_is_asked_again_at_once_and_not_blamed",),
    ),
    Defence(
        "a peer that says no hello holds one place",
        "relay/hub/network/link/greetings.py",
        "            older.scope.cancel()\n",
        "            self._waiting[older] = None\n",
        (f"{LIARS}::test_attack_G15_hub_a_peer_that_shows_its_certificate_and_says_no_hello_keeps_nobody_out",),
    ),
)
