"""The rules of a token's processes and of its PIN, with processes that answer by a script; real tokens are asked in
`tests/nodes/tokens`."""

import os
import signal

import pytest
import trio

from hutong.adapters.interface import SignerFaulty, SignerUnavailable, SigningRefused
from hutong.relay.keys.sources.pkcs11 import token_process
from hutong.relay.keys.sources.pkcs11.pool import BACKOFF_LAST_S, TokenPool, leave_pool, pool_of
from hutong.relay.keys.sources.pkcs11.process import ProcessGone, TokenFailed, TokenPlace, TokenProcess

LOST = TokenFailed(token_process.LOST, "SessionHandleInvalid")
AWAY = TokenFailed(token_process.NO_TOKEN, "no token labelled 'relay' is in any slot")
WRONG_PIN = TokenFailed(token_process.PIN_REFUSED, "the token refused the PIN of pin; it is not tried again")


class Scripted:
    """Processes of one token. `logins` and `answers` are what the next ones say: an error, or nothing."""

    def __init__(self, tmp_path):
        self.place = TokenPlace(tmp_path / "module.so", "relay", None, tmp_path / "pin")
        self.logins: list[Exception | None] = []
        self.answers: list[Exception | None] = []
        self.logged_in = self.closed = self.most = self.busy = 0
        self.hangs = False
        self.is_logging_in = False
        self.after_unanswered: list[bool] = []

    async def start(self):
        return self

    async def open(self, place, *, after_unanswered):
        assert place == self.place
        self.logged_in += 1
        self.after_unanswered.append(after_unanswered)
        await trio.lowlevel.checkpoint()
        if self.logins and (error := self.logins.pop(0)):
            raise error

    async def ask(self, deed, about):
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            if self.hangs:
                await trio.sleep_forever()
            for _ in range(20):  # long enough that others ask meanwhile, in whichever order trio runs them
                await trio.lowlevel.checkpoint()
        finally:
            self.busy -= 1
        if self.answers and (error := self.answers.pop(0)):
            raise error
        return f"{deed} {about['number']}"

    async def aclose(self, *, hangs=False):
        self.closed += 1


@pytest.fixture
def token(tmp_path):
    return Scripted(tmp_path)


@pytest.fixture
def pool(token):
    made = TokenPool(token.place, token.start)
    made.join(token, 1)
    return made


def ask(pool, number=7):
    return pool.ask("pkcs11 relay 01", "sign", {"number": number}, 5.0)


async def test_one_login_serves_many_and_one_at_a_time(token, pool):
    said = []

    async def one(number):
        said.append(await ask(pool, number))

    async with trio.open_nursery() as nursery:
        for number in range(16):
            nursery.start_soon(one, number)
    assert sorted(said) == sorted(f"sign {number}" for number in range(16))
    assert (token.logged_in, token.most) == (1, 1)


async def test_more_processes_are_opened_by_need(token, pool):
    pool.join(object(), 2)
    await ask(pool)
    assert token.logged_in == 1
    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(ask, pool, number)
    assert (token.logged_in, token.most) == (2, 2)


@pytest.mark.parametrize("loss", [LOST, ProcessGone("its process was ended by signal 9")])
async def test_a_lost_session_is_opened_anew_once(token, pool, loss):
    token.answers = [None, loss, None, loss, loss]
    assert await ask(pool) == await ask(pool) == "sign 7"
    assert (token.logged_in, token.closed) == (2, 1)
    with pytest.raises(SignerUnavailable, match=str(loss.args[-1])):
        await ask(pool)
    assert token.logged_in == 3, "a session that is lost twice in one call is not asked a third time"


async def test_a_token_that_is_away_is_looked_for_ever_less_often(token, pool, autojump_clock):
    token.logins = [AWAY] * 1_000
    began_s = trio.current_time()
    while trio.current_time() < began_s + 60:
        with pytest.raises(SignerUnavailable, match="no token labelled"):
            await ask(pool)
        await trio.sleep(0.05)
    assert 30 <= token.logged_in <= 36
    token.logins = []
    await trio.sleep(BACKOFF_LAST_S)
    assert await ask(pool) == "sign 7", "and it is back within the last pause"


@pytest.mark.parametrize("code", [token_process.PIN_REFUSED, token_process.PIN_LOCKED])
async def test_attack_G14_a_refused_pin_is_never_tried_again(token, code, autojump_clock):
    token.logins = [TokenFailed(code, "the PIN")]
    for _ in range(3):  # also by another pool, as of a later run
        pool = TokenPool(token.place, token.start)
        pool.join(token, 2)
        refused = 0

        async def one(pool=pool):
            nonlocal refused
            with pytest.raises(SigningRefused, match="the PIN"):
                await ask(pool)
            refused += 1

        async with trio.open_nursery() as nursery:
            for _ in range(16):
                nursery.start_soon(one)
        await trio.sleep(3600)
        assert refused == 16
    assert token.logged_in == 1


HANGS = trio.TooSlowError()


@pytest.mark.parametrize("end", [LOST, ProcessGone("its process was ended by signal 11"), HANGS])
async def test_attack_G14_a_login_without_an_answer_is_tried_once_more_and_no_further(token, end, autojump_clock):
    token.logins, token.is_logging_in = [end] * 1_000, True
    said = []
    for _ in range(3):  # also by another pool, as of a later run
        pool = TokenPool(token.place, token.start)
        pool.join(token, 1)
        for _ in range(60):
            with pytest.raises((SignerUnavailable, SigningRefused)) as caught:
                await ask(pool)
            said.append(str(caught.value))
            await trio.sleep(1)
    assert (token.logged_in, token.after_unanswered) == (2, [False, True])
    assert "a login got no answer" in said[0] and "2 logins got no answer" in said[-1]


async def test_a_login_that_is_answered_after_one_that_was_not_counts_from_there(token, pool, autojump_clock):
    token.is_logging_in = True
    for _ in range(3):
        token.logins = [LOST]
        with pytest.raises(SignerUnavailable, match="a login got no answer: SessionHandleInvalid"):
            await ask(pool)
        await trio.sleep(BACKOFF_LAST_S)
        token.answers = [None, LOST, LOST]
        assert await ask(pool) == "sign 7"
        token.logins = []
        with pytest.raises(SignerUnavailable):
            await ask(pool)
        await trio.sleep(BACKOFF_LAST_S)
    assert token.after_unanswered == [False, True, False] * 3


async def test_the_verdict_of_a_login_outlives_who_asked(token, pool):
    token.logins = [WRONG_PIN]
    with trio.move_on_after(0) as scope:
        scope.cancel()
        await ask(pool)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_given_up, pool, nursery.cancel_scope)
    with pytest.raises(SigningRefused):
        await ask(pool)
    assert token.logged_in == 1


async def _given_up(pool, scope):
    scope.cancel()
    with pytest.raises(SigningRefused):
        await ask(pool)


async def test_a_token_that_hangs_is_ended(token, pool, autojump_clock):
    token.hangs = True
    with pytest.raises(SignerUnavailable, match="no answer in 5 s"):
        await ask(pool)
    assert token.closed == 1
    token.hangs = False
    await trio.sleep(1)
    assert await ask(pool) == "sign 7" and token.logged_in == 2


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (token_process.NO_KEY, SigningRefused),
        (token_process.UNSAFE_KEY, SigningRefused),
        (token_process.OTHER_KEY, SignerFaulty),
    ],
)
async def test_what_is_wrong_with_a_key_keeps_the_session(token, pool, code, error):
    token.answers = [TokenFailed(code, "the key")]
    with pytest.raises(error, match="the key"):
        await ask(pool)
    assert await ask(pool) == "sign 7" and (token.logged_in, token.closed) == (1, 0)


async def test_keys_of_one_token_share_its_pool(token):
    first, second = object(), object()
    pool = pool_of(token.place, first, 1)
    assert pool_of(token.place, second, 2) is pool
    await leave_pool(token.place, first)
    assert pool_of(token.place, second, 2) is pool
    await leave_pool(token.place, second)
    await leave_pool(token.place, second)
    assert pool_of(token.place, first, 1) is not pool
    await leave_pool(token.place, first)


async def opened(asked, module="nowhere.so"):
    process = await TokenProcess.start()
    try:
        await process.open(TokenPlace(module, "relay", None, "pin"))
        return await process.ask(asked, {"key_id": "01"})
    finally:
        await process.aclose()


async def test_a_process_says_that_a_library_is_not_there(tmp_path):
    pytest.importorskip("pkcs11")
    with pytest.raises(TokenFailed) as caught:
        await opened("find", tmp_path / "nowhere.so")
    assert caught.value.code == token_process.NO_LIBRARY and "nowhere.so" in caught.value.reason


@pytest.mark.long
async def test_a_process_that_is_killed_is_gone_and_says_how():
    process = await TokenProcess.start()
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(ProcessGone, match="ended by signal 9"):
        await process.ask("find", {})
    await process.aclose()


def test_a_pin_is_one_line_of_a_file(tmp_path):
    pin = tmp_path / "pin"
    for text, found in ((b"1234", "1234"), (b"1234\n", "1234"), (b"12 34\r\n", "12 34")):
        pin.write_bytes(text)
        assert token_process.read_pin(str(pin)) == found
    for text in (b"", b"\n", b"1\n2\n", b"\xff", b"1" * 300):
        pin.write_bytes(text)
        with pytest.raises(token_process.Failed) as caught:
            token_process.read_pin(str(pin))
        assert caught.value.code == token_process.PIN_FILE and "1" * 4 not in caught.value.reason
