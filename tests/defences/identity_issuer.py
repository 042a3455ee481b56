"""Defences of the issuer and the status host: proofs, codes, forms, indices, copies of lists."""

from tests.defences.defence import Defence

IDENTITY = "relay/services/identity"
VCI = f"{IDENTITY}/rules/openid4vci"
ATTACKS = f"{IDENTITY}/issuer/test_issuer_attacks.py"
SUITE = f"{IDENTITY}/issuer/test_conformance.py"
MIRROR = f"{IDENTITY}/status_host/mirror.py"
HUB_TESTS = f"{IDENTITY}/issuer/test_issuing_on_a_hub.py"
NONCES = (f"{ATTACKS}::test_attack_N112_a_nonce_serves_once_and_only_here",)
DPOP = (f"{ATTACKS}::test_attack_N114_dpop_proofs_of_other_requests_tokens_and_keys",)
STOLEN = (f"{ATTACKS}::test_attack_N118_stolen_and_misled_codes",)
LOSS = f"{IDENTITY}/issuer/test_issuer_loss_attacks.py"
MIRROR_TESTS = f"{IDENTITY}/status_host/test_mirror.py"
COPIES = (f"{MIRROR_TESTS}::test_attack_N123_copies_that_are_not_the_issuers_list_of_now",)

LATER = (f"{IDENTITY}/issuer/test_deferring.py::test_attack_N209_what_comes_later_comes_to_who_asked",)
CHALLENGED = (
    f"{IDENTITY}/issuer/test_deferring.py::test_attack_N210_an_attested_wallet_answers_a_challenge_of_this_server",
)

IDENTITY_ISSUER = (
    Defence(
        "what comes later comes under the token that asked for it",
        f"{IDENTITY}/issuer/deferring.py",
        '    if document is None or (document["offer"], document["jkt"]) != (grant["offer"], grant["jkt"]):\n',
        "    if document is None:\n",
        LATER,
    ),
    Defence(
        "what comes later is counted when it is asked for",
        f"{IDENTITY}/issuer/deferring.py",
        '"issued": document["issued"] + count,',
        '"issued": document["issued"],',
        LATER,
    ),
    Defence(
        "a transaction is served once",
        f"{IDENTITY}/issuer/deferring.py",
        "    document = grants.take_secret(connection",
        "    document = grants.read_secret(connection",
        LATER,
    ),
    Defence(
        "an attested wallet answers a challenge of this server",
        f"{VCI}/client_attestations.py",
        "    if not isinstance(found, str) or found not in challenges:\n",
        "    if not isinstance(found, str):\n",
        CHALLENGED,
    ),
    Defence(
        "a key proof answers a nonce of this issuer",
        f"{VCI}/key_proofs.py",
        "    if not isinstance(found, str) or found not in nonces:\n",
        "    if not isinstance(found, str):\n",
        NONCES,
    ),
    Defence(
        "a nonce serves once",
        f"{IDENTITY}/store/seen.py",
        "    if connection.execute(select(SEEN.c.digest).where(place)).first() is not None:\n        raise SeenBefore(kind)\n",
        "    if connection.execute(select(SEEN.c.digest).where(place)).first() is not None:\n        return\n",
        NONCES,
    ),
    Defence(
        "a batch has distinct keys",
        f"{VCI}/key_proofs.py",
        "    if len({(key.algorithm, key.coordinates) for key in keys}) != len(keys):\n",
        "    if False:\n",
        (f"{ATTACKS}::test_attack_N115_batches_have_a_bound_and_distinct_keys",),
    ),
    Defence(
        "a DPoP proof is of the request's method",
        f"{VCI}/dpop.py",
        '    if claims.get("htm") != method:\n',
        "    if False:\n",
        DPOP,
    ),
    Defence(
        "a DPoP proof is of the access token",
        f"{VCI}/dpop.py",
        '    if claims.get("ath") != expected:\n',
        "    if False:\n",
        DPOP,
    ),
    Defence(
        "an access token is good with its key alone",
        f"{VCI}/dpop.py",
        "    if thumbprint is not None and found != thumbprint:\n",
        "    if False:\n",
        DPOP,
    ),
    Defence(
        "a code needs the verifier of its request",
        f"{VCI}/pkce.py",
        "    if not hmac.compare_digest(encode_base64url(sha256(verifier.encode())), challenge):\n",
        "    if False:\n",
        STOLEN,
    ),
    Defence(
        "a code that comes twice ends what was given for it",
        f"{IDENTITY}/issuer/authorization.py",
        '            grants.end_tokens_of(connection, again["offer"])',
        "            pass",
        (f"{ATTACKS}::test_attack_N110_codes_are_taken_once",),
    ),
    Defence(
        "wrong transaction codes end an offer",
        f"{IDENTITY}/issuer/offering.py",
        "        if offer.code_tries + 1 >= MAX_CODE_TRIES:\n",
        "        if False:\n",
        (f"{ATTACKS}::test_attack_N111_a_transaction_code_cannot_be_guessed",),
    ),
    Defence(
        "of all pages of a pushed request one is answered",
        f"{IDENTITY}/issuer/authorization.py",
        '            if not grants.use_up(connection, SecretKind.REQUEST, page["of"]):\n',
        "            if False:\n",
        (f"{SUITE}::test_fapi2_authorization_requests_that_fail",),
    ),
    Defence(
        "a pushed request is over after its time",
        f"{IDENTITY}/issuer/authorization.py",
        '            if request is None or request["until_s"] <= now_s or ',
        "            if request is None or ",
        (f"{SUITE}::test_fapi2_authorization_requests_that_fail",),
    ),
    Defence(
        "an offer for a pre-authorised code is not taken on the page",
        f"{IDENTITY}/issuer/authorization.py",
        '        if not offer.document["by_login"] or ',
        "        if ",
        (f"{SUITE}::test_fapi2_authorization_requests_that_fail",),
    ),
    Defence(
        "a form is of a page that this browser was shown",
        f"{IDENTITY}/issuer/authorization.py",
        '            if not hmac.compare_digest(page["cookie"], grants.digest_of(cookie)):\n',
        "            if False:\n",
        (f"{ATTACKS}::test_attack_N118_a_form_of_somebody_elses_page",),
    ),
    Defence(
        "offers end with the revocation of their reference",
        f"{IDENTITY}/issuer/revoking.py",
        '        ended = grants.end_offers_of(connection, revocation.reference or "")\n',
        "",
        (f"{LOSS}::test_attack_N200_more_of_what_was_revoked",),
    ),
    Defence(
        "nothing is issued of an offer that ended meanwhile",
        f"{IDENTITY}/issuer/credential_desk.py",
        "        if not stands:",
        "        if False:",
        (f"{LOSS}::test_attack_N200_an_issuance_during_the_revocation",),
    ),
    Defence(
        "requests that are refused use up no index",
        f"{IDENTITY}/issuer/credential_desk.py",
        "                    ledger.book.release(place.list_number, place.index)\n",
        "                    pass\n",
        (f"{LOSS}::test_attack_N201_requests_that_are_refused_use_up_no_list",),
    ),
    Defence(
        "no list of a mirror waits for another's host",
        f"{IDENTITY}/status_host/role.py",
        "        with trio.fail_after(WHOLE_LIMIT_S):\n",
        "        if True:\n",
        (f"{MIRROR_TESTS}::test_attack_N203_a_host_that_sends_a_byte_now_and_then_holds_up_no_other_list",),
    ),
    Defence(
        "a page that is opened counts more than a plain request",
        f"{IDENTITY}/serving/front.py",
        "OPENING_COST = 5\n",
        "OPENING_COST = 1\n",
        (f"{IDENTITY}/verifier/test_pages.py::test_attack_N206_one_address_that_opens_pages_leaves_room_for_others",),
    ),
    Defence(
        "indices are drawn at random",
        f"{IDENTITY}/issuer/list_book.py",
        '            index = int.from_bytes(self._random_bytes(4), "big") % found.size',
        "            index = found.used",
        (f"{ATTACKS}::test_attack_N119_indices_cannot_be_foretold",),
    ),
    Defence(
        "a hub with another log stops all issuing",
        f"{IDENTITY}/issuer/hub/sync.py",
        "        if size > log.size or (standing is not None and log.root(size) != standing.root):\n",
        "        if size > log.size:\n            return\n        if False:\n",
        (f"{HUB_TESTS}::test_a_hub_with_another_log_stops_all_issuing",),
    ),
    Defence(
        "a mirror is not taken back in time",
        MIRROR,
        "    if claims.issued_at_s < kept.issued_at_s:\n",
        "    if False:\n",
        COPIES,
    ),
    Defence("a mirror takes no list whose bits fell", MIRROR, "    if before & ~after:\n", "    if False:\n", COPIES),
)
