"""What every page shares: freshness, the explained empty states, links that keep the context."""

import streamlit as st

import widgets
from scene import Scene
from words import ago, day, lang, moment, month_name, tr


def quiet(text: str, **options: object) -> None:
    """Small secondary text of our own; st.caption would be too pale to read."""
    st.markdown(f":small[:gray[{text}]]", **options)  # type: ignore[arg-type]  # widths and the like


def address(scene: Scene, **more: str) -> dict[str, str]:
    """Query parameters that lead back to this client, month and language."""
    kept = {"client": scene.scope.code, "lang": lang()}
    if not scene.is_latest_month:
        kept["month"] = scene.month_key
    return kept | more


def freshness(scene: Scene) -> None:
    """When the data was published and whether the ledger agreed; a warning when it is old."""
    published = scene.local(scene.meta.published_at)
    if scene.is_stale:
        st.warning(
            tr(
                "**This data is old.** Last published {moment} ({age}). Newer work may have been done but does "
                "not show here yet. Good results are therefore shown without colour.",
                moment=moment(published, year=True), age=ago(scene.meta.published_at, scene.now),
            ),
            icon=":material/schedule:",
        )  # fmt: skip
    quiet(
        tr(
            "Data as of {moment} ({age}). Ledger checked: sound.",
            moment=moment(published, year=True), age=ago(scene.meta.published_at, scene.now),
        )
    )  # fmt: skip


def no_such_page() -> None:
    """One sentence for what is missing and for what belongs to somebody else."""
    st.text(tr("There is no such page."))


def nothing_published() -> None:
    st.title(tr("Nothing has been published yet."), anchor=False)
    quiet(tr("The first results appear here after the first published run."))


def unreadable() -> None:
    st.title(tr("The published data cannot be read."), anchor=False)
    st.error(tr("The technician finds the reason in the log of the dashboard."), icon=":material/error:")


def broken_ledger(scene: Scene) -> None:
    """No figures at all while the ledger under them is in doubt."""
    st.title(tr("The ledger cannot be confirmed right now."), anchor=False)
    st.error(
        tr("Until this is explained we show no figures that rest on it. Please call the technician."),
        icon=":material/gpp_bad:",
    )
    technician(scene)
    quiet(tr("Finding of the check, {moment}", moment=moment(scene.local(scene.meta.ledger_checked_at), year=True)))
    widgets.block(scene.meta.ledger_message)


def not_published(scene: Scene) -> None:
    st.title(tr("{month}: not in this publication.", month=month_name(scene.month)), anchor=False)
    st.info(
        tr("Jobs are published for this month and the last one. The work log holds all runs."), icon=":material/info:"
    )


def technician(scene: Scene) -> None:
    with st.container(width=520):
        widgets.facts([
            (tr("Technician"), scene.meta.technician),
            (tr("Phone"), scene.meta.technician_phone),
            (tr("Deputy"), scene.meta.deputy),
        ])  # fmt: skip


def before_the_start(scene: Scene) -> None:
    st.title(tr("{month}: no results.", month=month_name(scene.month)), anchor=False)
    since = scene.meta.kept_since
    st.info(
        tr("Nothing has been recorded for this client yet.")
        if since is None
        else tr(
            "The contract is kept in itcare since {day}. Earlier months will not appear.", day=day(since, year=True)
        ),
        icon=":material/info:",
    )


def run_name(scene: Scene, number: int) -> str:
    return f"{scene.scope.code}/{number}"


def run_link(scene: Scene, number: int) -> None:
    """To the page of a run, down to its last task."""
    st.page_link(
        st.session_state["pages"]["worklog"], label=tr("Open run {run}", run=run_name(scene, number)),
        icon=":material/list_alt:", query_params=address(scene, run=str(number)),
    )  # fmt: skip


def host_link(scene: Scene, name: str) -> None:
    st.page_link(
        st.session_state["pages"]["computers"], label=tr("Open computer {host}", host=widgets.host_label(name)),
        icon=":material/computer:", query_params=address(scene, host=name),
    )  # fmt: skip
