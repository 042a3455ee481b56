"""What a role deleted is in no file of the daemon's SQLite database after the next pass over what ended."""

from types import SimpleNamespace

import pytest

from hutong.relay.services.identity.login.store import LoginStore
from hutong.relay.services.identity.store import grants
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.store.transactions import Database

pytestmark = pytest.mark.long
NAME, END_S = "Wendelgard Quendelbach", 100


def files_with_the_name(home):
    return [file.name for file in home.iterdir() if NAME.encode() in file.read_bytes()]


async def test_claims_of_offers_and_codes_leave_the_files(tmp_path):
    with open_database(SimpleNamespace(database_password_env=None, database_url=None, home=tmp_path)) as engine:
        logins, database = LoginStore(engine), Database(engine)
        logins.prepare()
        offer = grants.Offer("1", {"claims": {"name": NAME}}, 0, False, END_S)
        for one in range(40):
            logins.keep_code(f"code {one}", "library", {"name": NAME * 30}, END_S)
        database.run_now(lambda connection: grants.put_offer(connection, offer, code="c", state=None))
        assert files_with_the_name(tmp_path)
        logins.remove_ended(END_S)
        database.run_now(lambda connection: grants.forget_ended(connection, END_S))
        assert files_with_the_name(tmp_path), "nothing has ended yet"
        logins.remove_ended(END_S + 1)
        database.run_now(lambda connection: grants.forget_ended(connection, END_S + 1))
        assert files_with_the_name(tmp_path), "older pages stand there until the log is cut"
        await database.empty_log()
        assert files_with_the_name(tmp_path) == []
