"""The page on which a person agrees that a wallet receives a credential. Plain HTML: no script, no style from elsewhere."""

from html import escape

from fastapi import Response

COOKIE = "hutong-issuer-page"
PAGE_POLICY = b"default-src 'none'; style-src 'unsafe-inline'; form-action *; base-uri 'none'; frame-ancestors 'none'"
"""`form-action`: the answer to the form sends the browser on to the wallet, which browsers count as the form's own."""

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1b2430;background:#fff}"
    "h1{font-size:1.4rem}label{display:block;margin:1rem 0 .3rem}input{font:inherit;padding:.5rem;width:10rem}"
    "button{font:inherit;padding:.6rem 1.2rem;margin:1rem .6rem 0 0;border:1px solid #1b2430;border-radius:.3rem;"
    "background:#fff;cursor:pointer}button.yes{background:#1b2430;color:#fff}"
    "@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181e}input,button{color:inherit;"
    "background:#1f2630;border-color:#5b6675}button.yes{background:#e6e9ee;color:#14181e}}"
)


_ASKS_OFFER = """<label for="offer">The link of the offer that you were sent</label>
<input id="offer" name="offer" maxlength="2048" required autofocus>
"""


def agreement(action: str, page: str, issuer: str, credential: str, client: str, *, asks_offer: bool) -> str:
    """The page as HTML.

    Args:
        action: path of the form.
        page: the form's secret, which serves once and only in this browser.
        issuer, credential, client: shown to the person.
        asks_offer: the wallet began by itself, so that nobody but the person knows of which offer this is.
    """
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(issuer)}: {escape(credential)}</title><style>{_STYLE}</style></head><body><main>
<h1>{escape(issuer)}</h1>
<p>The wallet <b>{escape(client)}</b> asks for: <b>{escape(credential)}</b>.</p>
<form method="post" action="{escape(action, quote=True)}" autocomplete="off">
<input type="hidden" name="page" value="{escape(page, quote=True)}">
{_ASKS_OFFER if asks_offer else ""}<label for="code">The code that you were sent with the offer</label>
<input id="code" name="code" inputmode="numeric" pattern="[0-9]{{6}}" maxlength="6"{"" if asks_offer else " autofocus"}>
<div><button class="yes" name="agree" value="yes">Send it to the wallet</button>
<button name="agree" value="no" formnovalidate>Cancel</button></div>
</form></main></body></html>
"""


def page_answer(text: str, cookie: str, *, is_tls: bool, path: str) -> Response:
    """The page with the cookie that binds its form to this browser.

    Args:
        path: below which the browser sends the cookie back.
    """
    answer = Response(text, headers={"cache-control": "no-store"}, media_type="text/html; charset=utf-8")
    answer.set_cookie(COOKIE, cookie, max_age=600, path=path, secure=is_tls, httponly=True, samesite="strict")
    return answer
