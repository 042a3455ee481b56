"""`/verify/POLICY`: a page that asks whoever opens it, and shows the result to that browser alone."""

from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from hutong.relay.services.identity.verifier.browser_sessions import Cookies, owner_of
from hutong.relay.services.identity.verifier.desk import ANSWERED_PATH, Desk
from hutong.relay.services.identity.verifier.page.rendering import FILES, FILES_PATH, PageView, rendered, static_file
from hutong.relay.services.identity.verifier.policies import Policy
from hutong.relay.services.identity.verifier.routes import MAX_STREAMS, stream
from hutong.relay.services.identity.verifier.store import State, TooManyOpen
from hutong.relay.services.identity.verifier.visits import Visit, end_visit, find_visit, visit
from hutong.relay.web.problems import ApiProblem, Code

TONES = {State.ACCEPTED: "ok", State.REFUSED: "bad", State.DECLINED: "bad", State.EXPIRED: "bad"}
WORDS = {
    State.ACCEPTED: "Accepted: what was shown holds.",
    State.DECLINED: "The wallet declined.",
    State.EXPIRED: "The time of this request is over.",
}
WAITING = "Waiting for a wallet"
_ANSWERED = PageView("You have answered", "You may close this page and go on where you began.", "Answered", "ok")


def files_router() -> APIRouter:
    """Style and script of the pages, and the page that a wallet on another device leads to."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{FILES_PATH}/{{name}}")
    async def page_file(name: str) -> Response:
        content = static_file(name)
        if content is None:
            raise ApiProblem(Code.NOT_FOUND, "there is no such file")
        return Response(content, headers={"cache-control": "max-age=3600"}, media_type=FILES[name])

    @router.get(ANSWERED_PATH)
    async def answered() -> Response:
        return page_of(_ANSWERED)

    return router


def page_router(desk: Desk, cookies: Cookies) -> APIRouter:
    """Pages of the policies that have one."""
    router = APIRouter(include_in_schema=False)
    streams = anyio.CapacityLimiter(MAX_STREAMS)

    def policy_of(name: str) -> Policy:
        policy = desk.policies.get(name)
        if policy is None or not policy.settings.page:
            raise ApiProblem(Code.NOT_FOUND, "there is no such page")
        return policy

    def owner(session: str, name: str) -> str:
        return owner_of(session, f"page:{name}")

    @router.get("/verify/{name}")
    async def page(name: str, request: Request) -> Response:
        policy = policy_of(name)
        session = cookies.read(request) or desk.secret()
        try:
            found = await visit(desk, name, owner(session, name), f"{desk.public_url}/verify/{name}/back")
        except TooManyOpen:
            raise ApiProblem(Code.BUSY, "too many requests are open; try again later") from None
        lead = "This page asks your wallet for a credential. Your wallet shows you what it would tell before you agree."
        view = view_of(desk, found, policy.settings.title, lead, f"/verify/{name}")
        response = page_of(view)
        cookies.set(response, session)
        return response

    @router.get("/verify/{name}/events")
    async def events(name: str, request: Request) -> Response:
        policy_of(name)
        session = cookies.read(request)
        found = None if session is None else await find_visit(desk, owner(session, name))
        if found is None:
            raise ApiProblem(Code.NOT_FOUND, "this browser has no request here")
        return stream(desk, found.answer or found.code, streams)

    @router.get("/verify/{name}/back")
    async def back(name: str, request: Request, response_code: Annotated[str, Query(max_length=128)] = "") -> Response:
        """A wallet on the same device led the browser here; another browser learns nothing and changes nothing."""
        policy_of(name)
        session = cookies.read(request)
        found = None if session is None else await find_visit(desk, owner(session, name))
        if found is None or not await desk.bring_back(found.link, response_code):
            return page_of(_ANSWERED)
        return RedirectResponse(f"/verify/{name}", 303, {"cache-control": "no-store"})

    @router.post("/verify/{name}/again")
    async def again(name: str, request: Request) -> Response:
        policy_of(name)
        session = cookies.read(request)
        if session is not None:
            await end_visit(desk, owner(session, name))
        return RedirectResponse(f"/verify/{name}", 303, {"cache-control": "no-store"})

    return router


def view_of(desk: Desk, found: Visit, title: str, lead: str, path: str, next_path: str | None = None) -> PageView:
    """A visit as the page shows it. `next_path` is where the browser goes on after an answer."""
    if not found.is_over:
        return PageView(
            title,
            lead,
            WAITING,
            "waiting",
            code_link=desk.link(found.code),
            link=desk.link(found.link),
            events=f"{path}/events",
            next=next_path,
        )
    answer = found.answer
    state = State.EXPIRED if answer is None else answer.state
    outcome = {} if answer is None or answer.outcome is None else answer.outcome
    words = WORDS.get(state) or f"Refused: {outcome.get('reason', 'the answer does not hold')}"
    return PageView(
        title, lead, words, TONES.get(state, "bad"), again=f"{path}/again", credentials=outcome.get("credentials", {})
    )


def page_of(view: PageView) -> HTMLResponse:
    """The answer of a page, which nobody keeps."""
    return HTMLResponse(rendered(view), headers={"cache-control": "no-store"})
