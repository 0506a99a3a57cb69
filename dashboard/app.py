"""The portal's one script: gate, scope, page. Started by `server.py`, for every visit anew."""

import logging
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import streamlit as st

import gate
import grids
import staff
import widgets
from itcare.access import ClientScope, StaffScope, find_scope, list_scopes
from itcare.core.clock import SystemClock
from itcare.core.errors import ItcareError, NotFoundError
from itcare.publish.reader import Snapshot
from scene import Scene, months, read_month
from views import clients, computers, frame, overview, worklog
from words import LANGUAGES, lang, month_name, tr

FIRM_PATH = "clients"
_log = logging.getLogger("itcare.dashboard")


def main() -> None:
    icon = Path(__file__).parent / "icon.png"  # a local file: other icons would be fetched from outside
    st.set_page_config(page_title="itcare", page_icon=str(icon), layout="wide", initial_sidebar_state=240)
    if not gate.is_open():
        grids.document_language(lang())
        st.text(tr("Please open the address that itcare printed."))
        return
    scopes = permitted_scopes()
    scope = chosen_scope(scopes)
    if scope is None:
        without_client(scopes, frame.no_such_page if "client" in st.query_params else frame.nothing_published)
        return
    try:
        snapshot = Snapshot.open(scope)
    except NotFoundError:
        without_client(scopes, frame.nothing_published)
        return
    except ItcareError as error:
        unreadable(scopes, error)
        return
    with snapshot:
        try:
            show(scopes, scope, snapshot)
        except ItcareError as error:
            if (
                snapshot.is_replaced()
            ):  # twice since it was opened, so that a month is gone: draw the page of the new one
                st.rerun()
            unreadable(scopes, error)


def unreadable(scopes: tuple[ClientScope, ...], error: ItcareError) -> None:
    """The reason is for the technician's log, the page says that nothing can be shown."""
    _log.error("%s", error)
    without_client(scopes, frame.unreadable)


def without_client(scopes: tuple[ClientScope, ...], explain: Callable[[], None]) -> None:
    """No client can be shown: say why. Staff still have the page across clients."""
    door = staff.door()
    if door is None:
        explain()
        return
    if "language" not in st.session_state:
        st.session_state["language"] = lang()
    grids.document_language(lang())
    page = navigation_of({"overview": st.Page(explain, title=tr("Overview"), default=True)} | firm_pages(door, scopes))
    with st.sidebar:
        for linked in st.session_state["pages"].values():
            st.page_link(linked, query_params={"lang": lang()})
        language_choice()
    page.run()


def permitted_scopes() -> tuple[ClientScope, ...]:
    """The clients that this OS user may read, narrowed to the one that is served, if it is only one."""
    scopes = list_scopes(Path(os.environ["ITCARE_PUBLISHED"]))
    only = os.environ.get("ITCARE_DASHBOARD_CLIENT")
    return scopes if only is None else tuple(scope for scope in scopes if scope.code == only)


def chosen_scope(scopes: tuple[ClientScope, ...]) -> ClientScope | None:
    """What the address names, else what was chosen before, else the first; looked up among `scopes` only."""
    asked = st.query_params.get("client") or st.session_state.get("shown_client")
    if asked is None:
        return scopes[0] if scopes else None
    return find_scope(scopes, asked)


def show(scopes: tuple[ClientScope, ...], scope: ClientScope, snapshot: Snapshot) -> None:
    meta = snapshot.meta()
    if st.session_state.get("shown_client") != scope.code:
        st.session_state["shown_client"] = scope.code
        st.session_state["client"] = scope.code
    if "language" not in st.session_state:
        wanted = (st.query_params.get("lang"), meta.locale, "en")
        st.session_state["language"] = next(code for code in wanted if code in LANGUAGES)
    choices = months(meta)
    month = read_month(st.query_params.get("month"), choices)
    scene = Scene(scope, snapshot, meta, SystemClock().now(), month or choices[0])
    door = staff.door()
    page = navigation_of(client_pages(scene) | ({} if door is None else firm_pages(door, scopes)))
    with st.sidebar:
        sidebar(scopes, scene, choices)
    remember(scene)
    if page.url_path == FIRM_PATH:
        page.run()
    elif month is None:
        frame.no_such_page()
    elif not meta.ledger_is_sound:
        frame.broken_ledger(scene)
    else:
        page.run()


def client_pages(scene: Scene) -> dict[str, Any]:
    """The pages of this client; the menu itself is drawn by `sidebar`, below the client's name."""

    def bound(show_page: Callable[[Scene], None], name: str) -> Callable[[], None]:
        def run() -> None:
            show_page(scene)

        run.__name__ = name
        return run

    return {
        "overview": st.Page(
            bound(overview.show, "overview"), title=tr("Overview"), icon=":material/article:", default=True
        ),
        "computers": st.Page(
            bound(computers.show, "computers"), title=tr("Computers"), icon=":material/computer:", url_path="computers"
        ),
        "worklog": st.Page(
            bound(worklog.show, "worklog"), title=tr("Work log"), icon=":material/list_alt:", url_path="worklog"
        ),
    }


def firm_pages(door: StaffScope, scopes: tuple[ClientScope, ...]) -> dict[str, Any]:
    """The page across clients. Whoever has no door has no such page: its address is as unknown as any other."""

    def run() -> None:
        clients.show(door, scopes)

    return {"clients": st.Page(run, title=tr("All clients"), icon=":material/apartment:", url_path=FIRM_PATH)}


def navigation_of(pages: dict[str, Any]) -> Any:
    """The page that the address names; the menu is ours."""
    st.session_state["pages"] = pages
    return st.navigation(list(pages.values()), position="hidden")


def sidebar(scopes: tuple[ClientScope, ...], scene: Scene, choices: tuple[date, ...]) -> None:
    widgets.text(scene.meta.legal_name)
    if len(scopes) > 1:
        st.selectbox(
            tr("Client"), [scope.code for scope in scopes], key="client", on_change=choose_client,
            label_visibility="collapsed",
        )  # fmt: skip
    pages = st.session_state["pages"]
    for name, page in pages.items():
        if name != "clients":
            st.page_link(page, query_params=frame.address(scene))
    if "clients" in pages:
        frame.quiet(tr("The firm"))
        st.page_link(pages["clients"], query_params=frame.address(scene))
    st.divider()
    language_choice()
    st.selectbox(
        tr("Month"), choices, index=choices.index(scene.month), format_func=month_name, key=f"month {scene.scope.code}",
        on_change=choose_month, args=(scene.scope.code,),
    )  # fmt: skip
    grids.document_language(lang())


def language_choice() -> None:
    st.segmented_control(
        tr("Language"), list(LANGUAGES), format_func=LANGUAGES.__getitem__, key="language", required=True,
        label_visibility="collapsed",
    )  # fmt: skip


def choose_client() -> None:
    for name in ("run", "host", "month"):
        st.query_params.pop(name, None)
    st.query_params["client"] = st.session_state["client"]


def choose_month(code: str) -> None:
    for name in ("run", "host"):
        st.query_params.pop(name, None)
    st.query_params["month"] = f"{st.session_state[f'month {code}']:%Y-%m}"


def remember(scene: Scene) -> None:
    """Keep the address such that it opens this very page again."""
    for name, value in frame.address(scene).items():
        if st.query_params.get(name) != value:
            st.query_params[name] = value


main()
