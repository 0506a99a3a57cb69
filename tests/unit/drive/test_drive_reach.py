"""Why a computer was not reached, from the words of real clients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.core.words import NotReachedReason as Reason
from itcare.drive.reach import classify

PREFIX = "Task failed: Failed to connect to the host via ssh: "


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("ssh: connect to host 192.0.2.1 port 22: Connection refused", Reason.REFUSED),
        ("ssh: connect to host 192.0.2.1 port 22: Connection timed out", Reason.TIMEOUT),
        ("ssh: connect to host 192.0.2.1 port 22: No route to host", Reason.TIMEOUT),
        ("Connection timed out during banner exchange\nConnection to 192.0.2.1 port 22 timed out", Reason.TIMEOUT),
        ("Timeout, server 192.0.2.1 not responding.", Reason.TIMEOUT),
        ("ssh: Could not resolve hostname host.invalid: Name or service not known", Reason.NAME),
        ("ssh: Could not resolve hostname a.b: Temporary failure in name resolution", Reason.NAME),
        ("No ED25519 host key is known for [127.0.0.2]:2201 and you have requested strict checking.\r\n"
         "Host key verification failed.", Reason.HOST_KEY),
        ("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nIT IS POSSIBLE …\r\n"
         "Host key for 192.0.2.1 has changed and you have requested strict checking.", Reason.HOST_KEY),
        ("Unable to negotiate with 192.0.2.1 port 22: no matching host key type found.", Reason.HOST_KEY),
        ("root@192.0.2.1: Permission denied (publickey).", Reason.AUTH),
        ("Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures", Reason.AUTH),
        ("kex_exchange_identification: Connection closed by remote host", Reason.OTHER),
        ("mkdir: cannot create directory: Permission denied", Reason.OTHER),
        ("", Reason.OTHER),
    ],
)  # fmt: skip
def test_each_sentence_of_ssh_has_its_reason(message: str, reason: Reason) -> None:
    assert classify(PREFIX + message) is reason


@given(st.text())
def test_any_text_at_all_gets_a_reason(text: str) -> None:
    assert classify(text) in Reason
