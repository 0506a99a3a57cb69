"""The server around `app.py`: who may ask, and what the browser may do with the answer."""

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

# The page needs its one inline script (by digest; Streamlit 1.67) and blob: for the components of
# `grids.py`. Nothing may be fetched from anywhere else, whatever a text on the page says.
POLICY = "; ".join((
    "default-src 'self'",
    "script-src 'self' blob: 'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
))  # fmt: skip
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),  # the first address holds the token
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
CLOSED_PATHS = ("/_stcore/metrics", "/_stcore/agent")  # answer without any gate of the script


class Guard:
    """Adds the security headers to every answer and closes the paths that no page needs."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].rstrip("/").startswith(CLOSED_PATHS):
            await send({"type": "http.response.start", "status": 404, "headers": [*HEADERS]})
            await send({"type": "http.response.body", "body": b""})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self._app(scope, receive, guarded)


def _end_with_the_launcher() -> None:
    """When the launcher is gone, its end of our standard input closes: end too."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if os.environ.get("ITCARE_DASHBOARD_TETHERED") == "1":
    threading.Thread(target=_end_with_the_launcher, daemon=True).start()

app = st.App(
    "app.py",
    middleware=[
        Middleware(Guard),
        Middleware(TrustedHostMiddleware, allowed_hosts=os.environ["ITCARE_DASHBOARD_HOSTS"].split(",")),
    ],
)
