"""Turns pydantic's complaints about a document into problems in the author's words."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from itcare.contract import kept, models
from itcare.contract.document import Document, Tree
from itcare.contract.fields import NOT_SUPPORTED
from itcare.contract.problems import KeyPath, Problem, is_secret_place, plain, show_found

_EXPECTED = {
    "string_type": "text (in quotes where it looks like a number, a date or true)",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "date_type": "a day such as 2026-01-31, without quotes",
    "tuple_type": "a list: [one, two]",
    "mapping_type": "keys with values",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "greater_than_equal": "a number from {ge} up",
    "less_than_equal": "a number up to {le}",
    "literal_error": "{expected}",
    "expected": "{expected}",
}
# What to say for a key that is not there; every required key of the model has its line (a test holds it).
MISSING = {
    "schema": models.SCHEMA,
    "contract": "the terms: number, version, signed_on, first_day",
    "client": "the client: code, legal_name, nip, locale, tz, dpa",
    "team": "who serves the client: technician",
    "sites": "at least one site",
    "hosts": "at least one host",
    "duties": "at least one duty",
    "number": "the number of the contract",
    "version": "the version of the contract, from 1 up",
    "signed_on": "the day on which the contract was signed",
    "first_day": "the first day, such as 2026-01-01",
    "code": "the client's code such as ACME",
    "legal_name": "the client's full name",
    "nip": 'ten digits in quotes such as "0000000000"',
    "locale": "the language of the client's pages: pl or en",
    "tz": "the client's time zone such as Europe/Warsaw",
    "dpa": "the reference of the data processing contract; without one nothing is run for the client",
    "technician": "the technician who permanently serves the client",
    "reach": "how the site is reached: onsite, vpn, bastion or pull",
    "site": "the name of the host's site",
    "role": "server, workstation or laptop",
    "per": "[host]",
    "select": "all, or exactly one of site:, role:, host:",
    "cadence": "daily: all",
    "daily": "all",
    "calendar.version": "the version of the calendar such as pl-2026.1",
    "holidays": "the countries whose holidays count: [PL]",
    "hours": 'the hours of the week: {mon-fri: ["08:00-16:00"]}',
    "id": "a short name of the overlay such as month-close",
    "email": "the e-mail address of the contact",
    "rights": "what the contact may do: a list such as [verifies_work]",
}
_SECRETS_ELSEWHERE = "no secret in the contract; name a key with credential: key:NAME"


def validate(document: Document) -> tuple[models.Contract | None, list[tuple[KeyPath, Problem]]]:
    """The contract in the document, or what keeps it from being one."""
    try:
        return models.Contract.model_validate(document.tree), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_word(document, detail) for detail in details]


def _word(document: Document, detail: ErrorDetails) -> tuple[KeyPath, Problem]:
    path = tuple(step for step in detail["loc"] if step != "[key]")
    kind = detail["type"]
    if kind == "extra_forbidden":
        return path, document.problem(path, f'the key "{plain(str(path[-1]))}"', _known_keys(path), at_key=True)
    if kind == "missing":
        return path, document.problem(path, "nothing", _missing(path))
    if detail["loc"][-1:] == ("[key]",):
        found = f'the name "{plain(str(path[-1]))}"'
        return path, document.problem(path, found, _expected(detail), at_key=True)
    return path, document.problem(path, show_found(_at(document.tree, path), path), _expected(detail))


def _missing(path: KeyPath) -> str:
    key = str(path[-1])
    return MISSING.get(f"{path[0]}.{key}", MISSING.get(key, "a value"))


def _expected(detail: ErrorDetails) -> str:
    template = _EXPECTED.get(detail["type"], detail["msg"])
    context: Mapping[str, object] = detail.get("ctx", {})
    return template.format_map({k: str(v).replace("'", "") for k, v in context.items()})


def _at(tree: Tree, path: KeyPath) -> Tree:
    """The value at `path` as it was read, before any validator changed it."""
    for step in path:
        if isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, tuple) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def _known_keys(path: KeyPath) -> str:
    if is_secret_place(path[-1:]):
        return _SECRETS_ELSEWHERE
    known = list(_keys_of(path[:-1]))
    near = get_close_matches(str(path[-1]), known, n=1, cutoff=0.75)
    if near:
        return f"{near[0]} (did you mean that?)"
    return f"one of the keys {', '.join(known)}; others {NOT_SUPPORTED}"


def _keys_of(path: KeyPath) -> Iterator[str]:
    """The keys that the model knows at `path`, in the order of the documentation."""
    part: type[BaseModel] = models.Contract
    for pattern, model in _PARTS.items():
        if len(pattern) == len(path) and all(step in (None, key) for step, key in zip(pattern, path, strict=True)):
            part = model
    return (field.alias or name for name, field in part.model_fields.items())


# Where each part of a contract stands; None is any name or number.
_PARTS: dict[tuple[str | None, ...], type[BaseModel]] = {
    (): models.Contract,
    ("contract",): models.Terms,
    ("client",): models.ClientTerms,
    ("team",): models.Team,
    ("sites", None): models.Site,
    ("hosts", None): models.Host,
    ("duties", None): models.Duty,
    ("calendar",): kept.Calendar,
    ("calendar", "days_off"): kept.DaysOff,
    ("calendar", "overlays", None): kept.Overlay,
    ("contacts", None): kept.Contact,
    ("defaults",): kept.Defaults,
    ("acceptance",): kept.Acceptance,
}
