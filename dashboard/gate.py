"""The token that the printed address carries. Without it nothing is shown.

Every local user reaches 127.0.0.1, so the loopback address alone protects nobody. The token comes
by environment, is compared in constant time, stays with this browser session and leaves the
address bar at once. It is not put into a cookie: cookies of 127.0.0.1 go to every port, and so to
a server of any other local user.
"""

import hmac
import os

import streamlit as st

TOKEN_VARIABLE = "ITCARE_DASHBOARD_TOKEN"  # noqa: S105 - the name of the variable, not a secret
_SHORTEST = 32  # characters; a launcher that passes less made a mistake, and nobody is let in


def is_open() -> bool:
    """Whether this session has shown the token."""
    if st.session_state.get("admitted") is True:
        st.query_params.pop("token", None)
        return True
    token = os.environ.get(TOKEN_VARIABLE, "")
    offered = st.query_params.get("token", "")
    if len(token) < _SHORTEST or not hmac.compare_digest(_bytes(offered), _bytes(token)):
        return False
    st.session_state["admitted"] = True
    st.query_params.pop("token", None)
    return True


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
