"""Defences of OpenID4VP: encrypted answers, request objects, posted forms, presentations against the request."""

from tests.defences.defence import Defence

RULES = "relay/services/identity/rules"
TESTS = "relay/services/identity/rules"
JWE = f"{RULES}/jose/jwe.py"
JWE_TESTS = f"{TESTS}/jose/test_jwe.py"
REQUEST_TESTS = f"{TESTS}/openid4vp/test_request.py"
RESPONSE_TESTS = f"{TESTS}/openid4vp/test_response.py"
ANSWER_TESTS = f"{TESTS}/openid4vp/test_answer.py"
CHOSEN = f"{JWE_TESTS}::test_attack_N138_algorithms_and_headers_of_the_attackers_choice"
SPELLED = f"{JWE_TESTS}::test_attack_N138_other_spellings_lengths_and_a_shorter_tag"
SOMEBODY = f"{REQUEST_TESTS}::test_attack_N139_a_request_of_somebody_else"
ASTRAY = f"{REQUEST_TESTS}::test_attack_N139_an_answer_led_astray_or_a_request_replayed"

IDENTITY_OPENID4VP = (
    Defence(
        "an answer is encrypted by ECDH-ES alone",
        JWE,
        '    if jwe.header.get("alg") != KEY_AGREEMENT:\n',
        "    if False:\n",
        (CHOSEN,),
    ),
    Defence(
        "an encrypted answer is not compressed",
        JWE,
        "        if name in jwe.header:\n",
        "        if False:\n",
        (CHOSEN,),
    ),
    Defence(
        "an answer is encrypted to the request's own key", JWE, "    if kid != key.kid:\n", "    if False:\n", (CHOSEN,)
    ),
    Defence(
        "a one-time key is on P-256",
        JWE,
        "    if epk.algorithm is not Algorithm.ES256:\n",
        "    if False:\n",
        (CHOSEN,),
    ),
    Defence("a tag of GCM is whole", JWE, "        if len(found) != size:\n", "        if False:\n", (SPELLED,)),
    Defence(
        "a certificate proves the verifier's name",
        f"{RULES}/openid4vp/request.py",
        "    judge(certificate_proves_client_id, request.client_id, certified)\n",
        "",
        (SOMEBODY,),
    ),
    Defence(
        "the signed verifier is the link's",
        f"{RULES}/openid4vp/request.py",
        "    judge(request_is_the_links, request, demand.client_id)\n",
        "",
        (SOMEBODY,),
    ),
    Defence(
        "a wallet's nonce comes back",
        f"{RULES}/openid4vp/request.py",
        "    judge(wallet_nonce_is_given_back, request, demand.wallet_nonce)\n",
        "",
        (ASTRAY,),
    ),
    Defence(
        "an answer goes to the host that is proven",
        f"{RULES}/openid4vp/request.py",
        "    if prefix is ClientIdPrefix.X509_SAN_DNS and url.hostname != rest:\n",
        "    if False:\n",
        (ASTRAY,),
    ),
    Defence(
        "an answer has the request's state",
        f"{RULES}/openid4vp/response.py",
        "    if state != expected:\n",
        "    if False:\n",
        (f"{RESPONSE_TESTS}::test_attack_N138_another_key_or_request",),
    ),
    Defence(
        "an answer is encrypted where that was asked",
        f"{RULES}/openid4vp/response.py",
        '    if "error" not in form and expected not in form:\n',
        "    if False:\n",
        (f"{RESPONSE_TESTS}::test_attack_N138_another_key_or_request",),
    ),
    Defence(
        "no parameter of an answer stands twice",
        f"{RULES}/openid4vp/response.py",
        "    if len(found) != len(fields) or len(fields) > MAX_FORM_FIELDS:\n",
        "    if False:\n",
        (f"{RESPONSE_TESTS}::test_attack_N143_members_and_parameters_twice",),
    ),
    Defence(
        "presentations together are what was asked",
        f"{RULES}/openid4vp/answer.py",
        "    judge_answer(judge, demand.query, held)\n",
        "",
        (f"{ANSWER_TESTS}::test_attack_N141_what_was_not_asked_or_not_enough",),
    ),
)
