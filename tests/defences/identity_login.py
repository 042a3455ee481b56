"""Defences of login: codes once, known addresses, names that cannot be joined, the browser that began."""

from tests.defences.defence import Defence

ROOM = "relay/services/identity/login"
TESTS = "relay/services/identity/login/test_login.py"
APPLICATIONS = f"{TESTS}::test_attack_N145_requests_of_no_known_application"
CODES = f"{TESTS}::test_attack_N146_a_code_taken_twice_late_or_by_another"

IDENTITY_LOGIN = (
    Defence(
        "an application's address is compared whole",
        f"{ROOM}/provider.py",
        "        return redirect_uri in self.config.redirect_uris\n",
        "        return redirect_uri.startswith(self.config.redirect_uris)\n",
        (APPLICATIONS,),
    ),
    Defence(
        "PKCE by S256 is needed",
        f"{ROOM}/provider.py",
        '        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":\n',
        "        if False:\n",
        (APPLICATIONS,),
    ),
    Defence(
        "a code is its application's own",
        f"{ROOM}/store.py",
        "        own = (CODES.c.code_sha256 == _digest(code), CODES.c.client_id == client_id)\n",
        "        own = (CODES.c.code_sha256 == _digest(code),)\n",
        (CODES,),
    ),
    Defence(
        "a code ends",
        f"{ROOM}/store.py",
        " or row.ends_s <= now_s:\n",
        ":\n",
        (CODES,),
    ),
    Defence(
        "a person has another name at each application",
        f"{ROOM}/person.py",
        "json.dumps([sector, *issuer, subject]",
        "json.dumps([*issuer, subject]",
        (f"{TESTS}::test_attack_N147_two_applications_cannot_join_their_people",),
    ),
    Defence(
        "a login is its browser's own",
        f"{ROOM}/routes.py",
        '        if session is None or found is None or found.session != owner_of(session, "login"):\n',
        "        session = session or login.desk.secret()\n        if found is None:\n",
        (f"{TESTS}::test_attack_N148_another_browser_ends_no_login",),
    ),
)
