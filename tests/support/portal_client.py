"""A visitor without a browser: speaks the dashboard's WebSocket, as an attacker with a script would.

The messages are Streamlit's internals (1.67); everything that knows them is in this file.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import websockets
from google.protobuf.json_format import MessageToJson
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState


@dataclass
class Answer:
    """Everything one run of the script sent, as text; `widgets`: id by user key where it has one."""

    text: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    widgets: dict[str, str] = field(default_factory=dict)
    session: str = ""


def ask(
    base: str,
    query: Mapping[str, str],
    *,
    page_name: str = "",
    page_hash: str = "",
    widgets: Mapping[str, str] | None = None,
    session: str | None = None,
    host: str | None = None,
    origin: str | None = None,
) -> Answer:
    """One connection, one run of the script. `widgets`: widget id to a string value that is forged."""
    return asyncio.run(_ask(base, query, page_name, page_hash, widgets or {}, session, host, origin))


async def _ask(base, query, page_name, page_hash, widgets, session, host, origin) -> Answer:  # type: ignore[no-untyped-def] # see ask
    place = urlsplit(base)
    protocols = ["streamlit", "unused-xsrf", *([session] if session else [])]
    async with websockets.connect(
        f"ws://{host or place.netloc}/_stcore/stream", host=place.hostname, port=place.port, subprotocols=protocols,
        max_size=None, origin=origin or base, proxy=None,
    ) as socket:  # fmt: skip
        message = BackMsg()
        message.rerun_script.query_string = urlencode(query)
        message.rerun_script.page_name = page_name
        message.rerun_script.page_script_hash = page_hash
        for name, value in widgets.items():
            message.rerun_script.widget_states.widgets.append(WidgetState(id=name, string_value=value))
        await socket.send(message.SerializeToString())
        return await asyncio.wait_for(_read(socket), 30)


async def _read(socket) -> Answer:  # type: ignore[no-untyped-def] # a connection of websockets
    answer = Answer()
    async for raw in socket:
        message = ForwardMsg()
        message.ParseFromString(raw)
        answer.text += MessageToJson(message, ensure_ascii=False) + "\n"
        kind = message.WhichOneof("type")
        if kind == "new_session":
            answer.session = message.new_session.initialize.session_id
        elif kind == "navigation":
            answer.pages |= {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            inner = getattr(element, element.WhichOneof("type"), None)
            if getattr(inner, "id", "") and getattr(inner, "label", ""):
                answer.widgets[inner.label] = inner.id
        elif kind == "script_finished":
            break
    return answer
