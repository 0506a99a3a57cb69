"""Why a probe did not get through, read from what ssh said."""

import re

from itcare.core.words import NotReachedReason

# Sentences of OpenSSH's client (ssh.c, sshconnect.c, sshconnect2.c, misc.c of 9.x) and of the C
# library. In this order: a changed key is told together with what ssh gave up afterwards.
_SENTENCES = (
    (
        NotReachedReason.HOST_KEY,
        r"host key verification failed|remote host identification has changed|no \S+ host key is known for"
        r"|host key for \S+ has changed|no matching host key type found",
    ),
    (
        NotReachedReason.NAME,
        r"could not resolve hostname|name or service not known|temporary failure in name resolution",
    ),
    (NotReachedReason.AUTH, r"permission denied \(|too many authentication failures"),
    (NotReachedReason.REFUSED, r"connection refused"),
    (
        # "No route to host" is what a switched-off computer in the same network gives: no answer, like a timeout.
        NotReachedReason.TIMEOUT,
        r"connection timed out|operation timed out|timed out during banner exchange"
        r"|connection to \S+ port \d+ timed out|no route to host|timeout, server \S+ not responding",
    ),
)
_PATTERNS = tuple((reason, re.compile(sentence, re.IGNORECASE)) for reason, sentence in _SENTENCES)
_CHARACTERS = 16384


def classify(message: str) -> NotReachedReason:
    """The reason in a connection plugin's message; `other` when it names none that is known."""
    text = message[:_CHARACTERS]
    for reason, pattern in _PATTERNS:
        if pattern.search(text):
            return reason
    return NotReachedReason.OTHER
