"""The HTTP client under the Twilio package: one connection pool, our own limits, and what really happened.

The package's own asynchronous client ignores its time limit, repeats a send on 503 and drops the headers of an
answer. This one makes one request per call, measures its limits by the given clock, and leaves in an
:class:`Exchange` what the package would lose: whether the request can have been written, and ``Retry-After``.
"""

from __future__ import annotations

import base64
import logging
import ssl
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from yarl import URL

from providers.contract import Clock
from providers.deadlines import Deadlines
from providers.exchange import EXCHANGE, Break, Exchange

CONNECT_S = 3.0
"""For address, connection and TLS together. A provider that is up answers within a second."""

TOTAL_S = 10.0
"""For the whole request. Twilio answers in well under a second; after ten nobody waits for it."""

KEEP_ALIVE_S = 15.0
"""An idle connection is closed by us before a load balancer does it in the middle of a request."""


class NoAnswerError(Exception):
    """The request has no answer. The sentence names neither addresses nor credentials."""

    def __init__(self, how: Break) -> None:
        super().__init__(how.value)
        self.how = how


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]  # the package has no types
    """One pool of connections for one account. Opens its session at the first request, in that request's loop."""

    def __init__(self, clock: Clock) -> None:
        silent = logging.getLogger("twilio")
        silent.setLevel(logging.CRITICAL + 1)  # the package logs addresses
        super().__init__(silent, True, None)
        self._deadlines = Deadlines(clock, CONNECT_S, TOTAL_S)
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the limits are ours
        allow_redirects: bool = False,  # noqa: ARG002 - a redirected send would be a second send
    ) -> Response:
        """One request and its answer, whatever its status. Raises :class:`NoAnswerError` if there is none.

        The caller has put an :class:`Exchange` into ``EXCHANGE``.
        """
        exchange = EXCHANGE.get()
        exchange.begin()
        sent_headers = dict(headers or {})
        if auth is not None:
            sent_headers["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        url = f"{uri}{'&' if '?' in uri else '?'}{urlencode(params, doseq=True)}" if params else uri
        body = urlencode(data, doseq=True).encode() if data is not None and method != "GET" else None
        try:
            with self._deadlines.limit(exchange):
                await self._exchange(exchange, method, url, body, sent_headers)
        except (aiohttp.ClientError, OSError) as broken:
            if exchange.status is None:  # else the answer was whole and only the farewell went wrong
                exchange.ended = how = _break(exchange, broken)
                raise NoAnswerError(how) from None
        assert exchange.status is not None
        return Response(exchange.status, exchange.text)

    async def _exchange(
        self, exchange: Exchange, method: str, url: str, body: bytes | None, headers: dict[str, str]
    ) -> None:
        session = self._open_session(url)
        async with session.request(
            method,
            URL(url, encoded=True),
            data=body,
            headers=headers,
            allow_redirects=False,
            proxy=self._proxy,
        ) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            exchange.retry_after = answer.headers.get("Retry-After")
            exchange.text = text
            exchange.status = answer.status

    def _open_session(self, url: str) -> aiohttp.ClientSession:
        """The session, opened for the scheme and host of the account's base address."""
        if self._session is None or self._session.closed:
            # Certificates: the system's, or those SSL_CERT_FILE names when the first request is made.
            trusted = ssl.create_default_context() if url.startswith("https:") else True
            self._proxy = proxy_for(url)
            self._session = aiohttp.ClientSession(
                # No limit here: the dispatcher bounds what is in flight.
                connector=_Connector(limit=0, keepalive_timeout=KEEP_ALIVE_S, ssl=trusted),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def close(self) -> None:
        """Close the connections. The next request would open new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _break(exchange: Exchange, broken: Exception) -> Break:
    """Whatever breaks before there is a connection (name, route, TLS, proxy) has written nothing."""
    if isinstance(broken, TimeoutError):
        return Break.SILENT if exchange.connected else Break.SLOW_TO_CONNECT
    return Break.BROKEN if exchange.connected else Break.UNREACHABLE


class _Connector(aiohttp.TCPConnector):
    """Marks the exchange of the running task as soon as its request has a connection to be written to.

    (aiohttp's tracing would tell the same for a third more work on every request.)
    """

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        connection = await super().connect(req, traces, timeout)
        EXCHANGE.get().connected = True
        return connection


def proxy_for(url: str) -> str | None:
    """The proxy the environment names for this address (HTTPS_PROXY and its like), None without one.

    Looked up here and not by aiohttp, which would start a thread for every request. This machine itself is never
    asked for through a proxy: the proxy would look for it on its own machine.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in {"localhost", "::1"} or host.startswith("127."):
        return None
    proxy = getproxies().get(parts.scheme)
    if proxy is None or proxy_bypass(host):
        return None
    return proxy
