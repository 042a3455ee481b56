"""Defences of the offline auditor and of the attestor, which signs."""

from tests.defences.defence import Defence

CLAIMS = "relay/audit/claims.py"
LINKS = "relay/audit/links.py"
BUNDLES = "relay/audit/test_recorded_bundles.py"
ATTESTOR = "relay/attestor/attestor.py"
ATTESTOR_TESTS = "relay/attestor/test_attestor.py"

AUDIT = (
    Defence(
        "the checkpoint says which chain a client follows",
        CLAIMS,
        "    if got != followed:\n",
        "    if False:\n",
        (
            f"{BUNDLES}::test_refused_another_chains_checkpoint",
            f"{BUNDLES}::test_refused_acknowledgement_of_a_third_chain",
        ),
    ),
    Defence(
        "a timeout is shown at its time",
        CLAIMS,
        "    if time_s < leg.packet.timeout_timestamp_s:\n",
        "    if False:\n",
        (f"{BUNDLES}::test_refused_timeout_claimed_before_its_time",),
    ),
    Defence(
        "half of a delivery is not shown as all",
        LINKS,
        "    if acknowledgement is not None and not acknowledgement.is_error and asks_to_forward(leg.packet):\n",
        "    if False:\n",
        (f"{BUNDLES}::test_refused_second_leg_dropped",),
    ),
    Defence(
        "the second leg is what the first asked for",
        LINKS,
        "    yield Step(subject, Check(name, source, partial(check_second_leg, first.packet, second.packet)))\n",
        "",
        (
            f"{BUNDLES}::test_refused_second_leg_of_another_message",
            f"{BUNDLES}::test_refused_tokens_of_another_transfer",
        ),
    ),
    Defence(
        "the first leg's acknowledgement follows from the second",
        LINKS,
        "    if first.acknowledgement != expected:\n",
        "    if False:\n",
        (f"{BUNDLES}::test_refused_acknowledgement_dropped_or_exchanged",),
    ),
    Defence(
        "an attestor signs for its configured destinations only",
        ATTESTOR,
        "        if request.scope not in self._scopes:\n",
        "        if False:\n",
        (f"{ATTESTOR_TESTS}::test_attack_D5_it_signs_for_its_own_source_and_its_configured_clients_only",),
    ),
    Defence(
        "an attestor signs one state a height",
        ATTESTOR,
        "        state = self._record.get(request.height)\n        if state is None and",
        "        state = None\n        if state is None and",
        (f"{ATTESTOR_TESTS}::test_attack_D8_one_height_is_never_signed_with_two_states",),
    ),
)
