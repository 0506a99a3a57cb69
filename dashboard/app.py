"""The portal's one script: gate, scope, page. Started by `server.py`, for every visit anew."""

import logging
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import streamlit as st

import gate
import grids
import widgets
from itcare.access import ClientScope, find_scope, list_scopes
from itcare.core.clock import SystemClock
from itcare.core.errors import ItcareError, NotFoundError
from itcare.publish.reader import Snapshot
from scene import Scene, months, read_month
from views import computers, frame, overview, worklog
from words import LANGUAGES, lang, month_name, tr

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
        if "client" in st.query_params:
            frame.no_such_page()
        else:
            frame.nothing_published()
        return
    try:
        with Snapshot.open(scope) as snapshot:
            show(scopes, scope, snapshot)
    except NotFoundError:
        frame.nothing_published()
    except ItcareError as error:  # the reason is for the technician's log, the page says that it cannot be shown
        _log.error("%s", error)
        frame.unreadable()


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
    page = navigation(scene)
    with st.sidebar:
        sidebar(scopes, scene, choices)
    remember(scene)
    if month is None:
        frame.no_such_page()
    elif not meta.ledger_is_sound:
        frame.broken_ledger(scene)
    else:
        page.run()


def navigation(scene: Scene) -> st.Page:
    """The pages of this client; the menu itself is drawn by `sidebar`, below the client's name."""

    def bound(show_page: Callable[[Scene], None], name: str) -> Callable[[], None]:
        def run() -> None:
            show_page(scene)

        run.__name__ = name
        return run

    pages = {
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
    st.session_state["pages"] = pages
    return st.navigation(list(pages.values()), position="hidden")


def sidebar(scopes: tuple[ClientScope, ...], scene: Scene, choices: tuple[date, ...]) -> None:
    widgets.text(scene.meta.legal_name)
    if len(scopes) > 1:
        st.selectbox(
            tr("Client"), [scope.code for scope in scopes], key="client", on_change=choose_client,
            label_visibility="collapsed",
        )  # fmt: skip
    for page in st.session_state["pages"].values():
        st.page_link(page, query_params=frame.address(scene))
    st.divider()
    st.segmented_control(
        tr("Language"), list(LANGUAGES), format_func=LANGUAGES.__getitem__, key="language", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    st.selectbox(
        tr("Month"), choices, index=choices.index(scene.month), format_func=month_name, key=f"month {scene.scope.code}",
        on_change=choose_month, args=(scene.scope.code,),
    )  # fmt: skip
    grids.document_language(lang())


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
