"""A valid contract as text, to be spoilt by the tests one place at a time."""

from pathlib import Path

from itcare.contract.loader import load_contract
from itcare.contract.models import Contract
from itcare.contract.problems import ContractError, Problem

ACME = """\
schema: itcare/contract/v1
contract:
  number: ACME/2026/01
  version: 4
  signed_on: 2025-12-15
  first_day: 2026-01-01
  last_day: 2027-12-31
client:
  code: ACME
  legal_name: ACME Example sp. z o.o.
  nip: "0000000000"
  locale: pl
  tz: Europe/Warsaw
  dpa: DPA/ACME/2026
team:
  technician: Zofia Ćwik
  deputy: Paweł Żak
sites:
  hq:
    reach: onsite
    user: itcare
    become: true
    credential: agent
  branch:
    reach: vpn
hosts:
  srv01: {site: hq, role: server, first_day: 2026-01-01, address: 192.0.2.1, services: [postgresql, cron]}
  pc01: {site: hq, role: workstation, first_day: 2026-01-01, address: pc01.acme.example.com, port: 2222}
  pc02: {site: hq, role: workstation, first_day: 2026-01-01, last_day: 2026-11-20, address: 192.0.2.3}
  nb01: {site: branch, role: laptop, first_day: 2026-11-16, address: "2001:db8::1", credential: key:branch}
  here: {site: branch, role: workstation, first_day: 2026-01-01, connection: local}
services: [cron]
thresholds:
  disk_free: {warn_pct: 20}
duties:
  visit.daily:
    per: [host]
    select: all
    cadence: {daily: all}
"""


def spoil(old: str, new: str, text: str = ACME) -> str:
    """`text` with its only `old` replaced."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text"
    return text.replace(old, new)


def write(folder: Path, text: str = ACME, name: str = "acme.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def contract_of(folder: Path, text: str = ACME) -> Contract:
    return load_contract(write(folder, text)).contract


def problems_of(path: Path) -> tuple[Problem, ...]:
    """The problems for which the file is refused; fails when it is not refused."""
    try:
        load_contract(path)
    except ContractError as error:
        return error.problems
    raise AssertionError(f"{path} was accepted")
