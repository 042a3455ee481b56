"""Defences of the verifier's daemon: answers once, results for whoever asked, status that fails closed."""

from tests.defences.defence import Defence

ROOM = "relay/services/identity/verifier"
ATTACKS = "relay/services/identity/verifier/test_answer_attacks.py"
HUB = "relay/services/identity/verifier/test_hub_trust.py"
STANDING = f"{HUB}::test_attack_N144_an_issuer_that_the_hub_does_not_stand_for"
PROVEN = f"{HUB}::test_attack_N144_records_that_are_old_left_out_or_not_to_be_had"
PAGES = "relay/services/identity/verifier/test_pages.py"

IDENTITY_VERIFIER = (
    Defence(
        "a request is answered once",
        f"{ROOM}/store.py",
        "            .where(REQUESTS.c.id == request_id, REQUESTS.c.state == State.WAITING.value, REQUESTS.c.ends_s > now_s)\n",
        "            .where(REQUESTS.c.id == request_id)\n",
        (f"{ATTACKS}::test_attack_N136_the_same_answer_posted_twice",),
    ),
    Defence(
        "an answer is judged after it is claimed",
        f"{ROOM}/desk.py",
        "        if not await anyio.to_thread.run_sync(self.store.claim, asked.id, self.now_s()):\n",
        "        if await anyio.to_thread.run_sync(self.store.claim, asked.id, self.now_s()) and False:\n",
        (f"{ATTACKS}::test_attack_N136_the_same_answer_posted_twice",),
    ),
    Defence(
        "nothing is told before the browser came back",
        f"{ROOM}/desk.py",
        "    if asked.state in FINAL and asked.channel is Channel.SAME_DEVICE and not asked.is_returned:\n",
        "    if False:\n",
        (
            f"{ATTACKS}::test_attack_N140_a_link_that_somebody_else_was_sent",
            f"{PAGES}::test_attack_N140_a_wallet_leads_another_browser_back",
        ),
    ),
    Defence(
        "only the answer's own code counts",
        f"{ROOM}/desk.py",
        "        if asked.code_sha256 is None or not hmac.compare_digest(_digest(code), asked.code_sha256):\n",
        "        if asked.code_sha256 is None:\n",
        (f"{ATTACKS}::test_attack_N140_a_link_that_somebody_else_was_sent",),
    ),
    Defence(
        "a browser is led to known addresses",
        f"{ROOM}/routes.py",
        "        if body.redirect_uri is not None and not may_return_to(desk.settings, body.redirect_uri):\n",
        "        if False:\n",
        (f"{ATTACKS}::test_attack_N140_a_link_that_somebody_else_was_sent",),
    ),
    Defence(
        "a credential that does not hold is refused",
        f"{ROOM}/status_lists.py",
        "        status_is_valid(reading.status)\n",
        "",
        (f"{ATTACKS}::test_attack_N142_a_status_that_does_not_hold_or_cannot_be_shown",),
    ),
    Defence(
        "what was shown is text on the page",
        f"{ROOM}/page/rendering.py",
        "<dd><bdi>{escape(text)}</bdi></dd>",
        "<dd><bdi>{text}</bdi></dd>",
        (f"{PAGES}::test_what_was_shown_is_text_on_the_page",),
    ),
    Defence(
        "a hub's header is no older than the policy says",
        f"{ROOM}/hub_trust.py",
        "    if abs(now_s - time_s) > max_age_s:\n",
        "    if False:\n",
        (PROVEN,),
    ),
    Defence(
        "the issuer is accredited by an unbroken chain",
        f"{ROOM}/hub_trust.py",
        "        judge_accredited(VERIFY, issuer.ground, issuer.proven, issuer.number, issuer.record)\n",
        "",
        (STANDING,),
    ),
    Defence(
        "a list is of the schema that is accredited",
        f"{ROOM}/hub_trust.py",
        "        list_is_for_the_schema(issuer.record.bound, schema)\n",
        "",
        (STANDING,),
    ),
    Defence(
        "the key counted when it signed",
        f"{ROOM}/hub_trust.py",
        "        judge_issued(VERIFY, issuer.proven, judged, issuer.ground.time_s)\n",
        "",
        (STANDING,),
    ),
    Defence(
        "the status list is the one that the hub proves",
        f"{ROOM}/desk.py",
        "                proven=issuer.status_list,\n",
        "",
        (STANDING,),
    ),
    Defence(
        "what was taken back in a later epoch is not forgotten",
        f"{ROOM}/hub_trust.py",
        "        newest = max(self._epochs.get(issuer.proven.did, 0), issuer.proven.epoch.number)\n",
        "        newest = issuer.proven.epoch.number\n",
        (STANDING,),
    ),
)
