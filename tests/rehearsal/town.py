"""A tiny product for the carrier to talk to: one listener that writes down what it is told, one page for all."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from app.clock import VirtualClock, sleep
from app.listener.server import LoopbackServer, listening_socket
from app.rehearsal.carrier import Carrier
from app.rehearsal.people import Script, plan

T = TypeVar("T")

START_MS = 1_790_000_000_000
PUBLIC = "https://nightfall.callboard.example"
SENDER = "+15005550006"

PAGE = """<!doctype html><title>Call</title><body class=x data-seen="/m/{token}/seen"><p>1 &lt; 2 &amp; so on
<form method="get" action="/search"><button name="option" value="9">no</button></form>
<form method="post" action="/m/{token}/answer">
<input type="hidden" name="version" value="2">{people}
<button name="option" value="1">I have read it</button><button type="submit" name="option" value="2">Problem</button>
</form></body>"""

HOUSEHOLD = '<input type="radio" name="person" value="17"><input type="radio" name="person" value="18">'


@dataclass
class Town:
    """What the listener was told. ``status`` is what it answers; ``forged`` counts signatures that are wrong."""

    receipts: list[dict[str, str]] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    inbound: list[dict[str, str]] = field(default_factory=list)
    visits: list[tuple[str, str, str]] = field(default_factory=list)
    forged: int = 0
    status: int = 204
    refuses: str = "nothing"
    """The end of the paths that are answered with 403."""
    people: str = ""
    together: int = 0
    most_together: int = 0
    token: str = ""
    slow: Callable[[], Awaitable[None]] | None = None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/hooks/main", self._hook, methods=["POST"]),
                Route("/m/{token}", self._page),
                Route("/m/{token}/{what}", self._act, methods=["POST"]),
            ]
        )

    async def _hook(self, request: Request) -> Response:
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        try:
            if self.slow is not None:
                await self.slow()
            return self._heard(request, await request.body())
        finally:
            self.together -= 1

    def _heard(self, request: Request, body: bytes) -> Response:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        query = request.url.query
        url = f"{PUBLIC}{request.url.path}" + (f"?{query}" if query else "")
        signature = request.headers.get("x-twilio-signature", "")
        if not RequestValidator(self.token).validate(url, fields, signature):
            self.forged += 1
        if self.status != 204:
            return Response(status_code=self.status)
        if "MessageStatus" in fields:
            self.receipts.append(fields)
            self.references.append(dict(parse_qsl(query)).get("r", ""))
        else:
            self.inbound.append(fields)
        return Response(status_code=204)

    async def _page(self, request: Request) -> Response:
        return self._visited(request, "") or HTMLResponse(
            PAGE.format(token=request.path_params["token"], people=self.people)
        )

    async def _act(self, request: Request) -> Response:
        body = (await request.body()).decode()
        if (refused := self._visited(request, body)) is not None:
            return refused
        return RedirectResponse(f"/m/{request.path_params['token']}", 303)

    def _visited(self, request: Request, body: str) -> Response | None:
        assert request.headers["host"] == PUBLIC.removeprefix("https://")
        if request.url.path.endswith(self.refuses):
            return Response(status_code=403)
        if self.status != 204:
            return Response(status_code=self.status)
        self.visits.append((request.method, request.url.path, body))
        return None


@dataclass
class Rehearsal:
    """A carrier and a town on one clock, with a plain client for the carrier's API."""

    clock: VirtualClock
    carrier: Carrier
    town: Town
    listener: LoopbackServer
    client: aiohttp.ClientSession

    async def send(self, to: str, text: str = "", reference: str = "", **fields: str) -> tuple[int, Any]:
        """Post one text as the vendor wants it. ``reference`` defaults to one made from the number."""
        reference = reference or f"ref{to[1:]}"
        form = {
            "To": to,
            "From": SENDER,
            "Body": text or f"Nightfall: moved to Stage 5. {link(to)}",
            "StatusCallback": f"{PUBLIC}/hooks/main?r={reference}",
            **fields,
        }
        status, body, _ = await self.ask("POST", "/Messages.json", urlencode(form))
        return status, body

    async def ask(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        """One request to the account, with its credentials."""
        carrier = self.carrier
        usual = {"Authorization": credentials(carrier.account_sid, carrier.auth_token)}
        if body is not None:
            usual["Content-Type"] = "application/x-www-form-urlencoded"
        url = f"{carrier.base_url}/2010-04-01/Accounts/{carrier.account_sid}{path}"
        async with self.client.request(
            method, url, data=body, headers={**usual, **(headers or {})}
        ) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text()), dict(answer.headers)


def credentials(sid: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{sid}:{token}".encode()).decode()


def link(to: str) -> str:
    """The link of the person with this number: 16 characters."""
    return f"{PUBLIC}/m/{to[1:].rjust(16, 'x')}"


def rehearse(
    play: Callable[[Rehearsal], Awaitable[T]],
    *,
    script: Script | None = None,
    town: Town | None = None,
    **options: Any,
) -> T:
    """Play something in virtual time with a carrier and a town, and clean up."""
    clock = VirtualClock(START_MS)

    async def run() -> T:
        here = town or Town()
        listener = LoopbackServer(here.app(), listening_socket())
        carrier = Carrier(
            clock,
            routes={PUBLIC: listener.url},
            inbound_url=f"{PUBLIC}/hooks/main",
            script=script or Script.silent(),
            **options,
        )
        here.token = carrier.auth_token
        await listener.start()
        await carrier.start()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as client:
            try:
                return await play(Rehearsal(clock, carrier, here, listener, client))
            finally:
                await asyncio.gather(carrier.close(), listener.close())

    return clock.run(run())


def truth_of(carrier: Carrier) -> list[tuple[str, list[tuple[str, tuple[tuple[str, str], ...]]]]]:
    """What happened to everybody, without moments and ids: what two runs have in common."""
    return sorted(
        (one.to, sorted((truth.what, tuple(sorted(truth.detail.items()))) for truth in one.truth))
        for one in carrier.log()
    )


CREW = [f"+1626555{number:04}" for number in range(60)]
ONE = CREW[0]
SCRIPT = Script.for_seconds(60)
FIRST_WINDOW_S = 18.0


def who(what: str, *, seed: int = 7, nth: int = 1, script: Script = SCRIPT, **wanted: Any) -> str:
    """The first number whose plan is such; ``what`` is how its holder acts."""
    for number in range(100_000):
        to = f"+1626{number:07}"
        then = plan(seed, to, nth, script)
        act = then.act
        if (act.how if act is not None else "nothing") != what or then.fate.refused is not None:
            continue
        have = {
            "undelivered": then.fate.undelivered,
            "late": then.fate.late,
            "doubled": then.doubled,
            "reordered": then.reordered,
            "machine": then.machine_s is not None,
            "option": act.option if act is not None else None,
        }
        if all(have[name] == value for name, value in wanted.items()):
            return to
    raise AssertionError("nobody is like that")


async def finish(here: Rehearsal, seconds: float = FIRST_WINDOW_S) -> None:
    await sleep(here.clock, seconds)
    await here.carrier.stop_people()
    await here.carrier.settle()


def statuses(town: Town) -> list[str]:
    return [receipt["MessageStatus"] for receipt in town.receipts]


def happened(here: Rehearsal) -> list[str]:
    (only,) = here.carrier.log()
    return [truth.what for truth in only.truth]
