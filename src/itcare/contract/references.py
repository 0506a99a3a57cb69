"""What the parts of a contract say about each other: names that must exist, days that must fit.

These checks read the plain data, not the model, so that they speak even where another part of the file
is wrong, and the author sees everything at once. What has the wrong type is the model's business.
"""

from collections.abc import Iterator
from datetime import date

from itcare.contract.document import Document, Tree
from itcare.contract.problems import KeyPath, Problem, plain, show_found

_REMOTE_ONLY = ("address", "port", "user", "credential")

type _Located = tuple[KeyPath, Problem]


def check_references(document: Document) -> list[_Located]:
    """Every reference to nothing, every pair of days in the wrong order, every host without its access."""
    tree = _mapping(document.tree)
    return [
        *_check_days(document, ("contract",), _mapping(tree.get("contract"))),
        *_check_hosts(document, tree),
        *_check_selections(document, tree),
        *_check_contacts(document, tree),
    ]


def _mapping(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}


def _check_days(document: Document, path: KeyPath, part: dict[str, Tree]) -> Iterator[_Located]:
    first, last = part.get("first_day"), part.get("last_day")
    if isinstance(first, date) and isinstance(last, date) and last < first:
        place = (*path, "last_day")
        yield place, document.problem(place, str(last), f"a day not before first_day, which is {first}")


def _check_hosts(document: Document, tree: dict[str, Tree]) -> Iterator[_Located]:
    sites, terms = _mapping(tree.get("sites")), _mapping(tree.get("contract"))
    for name, value in _mapping(tree.get("hosts")).items():
        path, host = ("hosts", name), _mapping(value)
        yield from _check_days(document, path, host)
        yield from _check_scope(document, path, host, terms)
        site = host.get("site")
        if isinstance(site, str) and site not in sites:
            yield (*path, "site"), document.problem((*path, "site"), show_found(site), _one_of("site", sites))
        if host:
            yield from _check_access(document, path, host, _mapping(sites.get(site) if isinstance(site, str) else None))


def _check_scope(
    document: Document, path: KeyPath, host: dict[str, Tree], terms: dict[str, Tree]
) -> Iterator[_Located]:
    """A host partly outside the contract is cut to it; one that never meets it is a slip of the pen."""
    first, last = host.get("first_day"), host.get("last_day")
    begin, end = terms.get("first_day"), terms.get("last_day")
    if isinstance(first, date) and isinstance(end, date) and first > end:
        place = (*path, "first_day")
        yield place, document.problem(place, str(first), f"a day before the contract ends on {end}")
    if isinstance(last, date) and isinstance(begin, date) and last < begin:
        place = (*path, "last_day")
        yield place, document.problem(place, str(last), f"a day after the contract begins on {begin}")


def _check_access(
    document: Document, path: KeyPath, host: dict[str, Tree], site: dict[str, Tree]
) -> Iterator[_Located]:
    connection = host.get("connection") or site.get("connection") or "ssh"
    if connection == "ssh" and host.get("address") is None:
        place = (*path, "address")
        yield place, document.problem(place, "nothing", "the address of the host, as its connection is ssh")
    if connection == "local":
        for key in _REMOTE_ONLY:
            if host.get(key) is not None:
                place = (*path, key)
                found = f'the key "{key}"'
                yield place, document.problem(place, found, "no such key, as the connection is local", at_key=True)


def _check_selections(document: Document, tree: dict[str, Tree]) -> Iterator[_Located]:
    sites, hosts = _mapping(tree.get("sites")), _mapping(tree.get("hosts"))
    for name, value in _mapping(tree.get("duties")).items():
        path: KeyPath = ("duties", name, "select")
        select = _mapping(_mapping(value).get("select"))
        site = select.get("site")
        if isinstance(site, str) and site not in sites:
            yield (*path, "site"), document.problem((*path, "site"), show_found(site), _one_of("site", sites))
        named = select.get("host")
        for index, host in enumerate(named if isinstance(named, tuple) else ()):
            if isinstance(host, str) and host not in hosts:
                place = (*path, "host", index)
                yield place, document.problem(place, show_found(host), _one_of("host", hosts))


def _check_contacts(document: Document, tree: dict[str, Tree]) -> Iterator[_Located]:
    sites = _mapping(tree.get("sites"))
    for name, value in _mapping(tree.get("contacts")).items():
        path, contact = ("contacts", name), _mapping(value)
        yield from _check_days(document, path, contact)
        named = contact.get("sites")
        for index, site in enumerate(named if isinstance(named, tuple) else ()):
            if isinstance(site, str) and site not in sites:
                place = (*path, "sites", index)
                yield place, document.problem(place, show_found(site), _one_of("site", sites))


def _one_of(kind: str, names: dict[str, Tree]) -> str:
    if not names:
        return f"the name of a {kind} of this contract; it has none"
    shown = ", ".join(plain(name, 63) for name in sorted(names)[:8])
    return f"the name of a {kind} of this contract: {shown}{', …' if len(names) > 8 else ''}"
