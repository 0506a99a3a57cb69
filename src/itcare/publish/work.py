"""One publication in the making: what it is made of, and what all ways of making it share."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from itcare.contract.models import Contract, ResolvedHost
from itcare.contract.plan import Obligation
from itcare.core.clock import read_instant
from itcare.publish.bookmark import Bookmark
from itcare.publish.history import read_record
from itcare.publish.host_rows import Judge, KnownHost
from itcare.publish.months import first_month_shown
from itcare.publish.obligation_rows import plan_shown
from itcare.publish.present import Ground
from itcare.publish.records import HostRecord
from itcare.publish.rows import Meta
from itcare.publish.source import Source


@dataclass(frozen=True)
class Work:
    """Where it is written (`folder`, locked), what from, by which judgement, when, and what is remembered (`mark`)."""

    folder: Path
    source: Source
    judge: Judge
    now: datetime
    mark: Bookmark

    @cached_property
    def contract(self) -> Contract:
        """Today's contract."""
        return self.source.contract.contract

    @cached_property
    def first_month(self) -> str:
        """The month before this one, from which on anything may still change."""
        return first_month_shown(self.now.astimezone(self.contract.zone).date())

    @cached_property
    def in_scope(self) -> dict[str, ResolvedHost]:
        """The hosts of the contract today."""
        return {host.name: host for host in self.contract.hosts_on(self.now.astimezone(self.contract.zone).date())}

    @cached_property
    def signature(self) -> str:
        """Of everything but the ledger and the hour that rows follow from."""
        parts = [
            self.source.contract.sha256, self.judge.policy_version, self.source.code_version, self.contract.client.tz,
            sorted(self.in_scope),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @cached_property
    def first_at(self) -> datetime | None:
        """When the client's ledger began."""
        first_at = self.mark.get("first_at")
        return read_instant(first_at) if first_at else None

    @cached_property
    def owed(self) -> list[Obligation]:
        """Every obligation of the months on show."""
        return plan_shown(self.contract, self.first_at, self.now)

    @cached_property
    def ground(self) -> Ground:
        """What the rows of hosts are judged and made by."""
        return Ground(self.judge, self.now, self.source.body, self.mark.problems())

    def know_host(self, name: str) -> KnownHost:
        """The host that a name stands for, in today's contract or not."""
        listed = self.contract.hosts.get(name)
        return KnownHost(
            name, listed.site if listed else None, listed.role if listed else None, self.in_scope.get(name)
        )

    def recall(self, entry: int, leaf: str) -> HostRecord | None:
        """The record that the ledger has in an entry, if it is still the one with that leaf."""
        for found in self.source.entries(entry, entry + 1):
            return read_record(found) if found.leaf_hash == leaf else None
        return None

    def make_meta(self, collection_version: str | None) -> Meta:
        """What the snapshot says about itself."""
        contract, source = self.contract, self.source
        return Meta(
            client=contract.client.code,
            legal_name=contract.client.legal_name,
            locale=contract.client.locale,
            tz=contract.client.tz,
            published_at=self.now,
            kept_since=self.first_at.astimezone(contract.zone).date() if self.first_at else None,
            policy_version=self.judge.policy_version,
            contract_number=contract.contract.number,
            contract_commit=source.contract.commit,
            code_version=source.code_version,
            collection_version=collection_version,
            technician=contract.team.technician,
            technician_phone=contract.team.phone,
            deputy=contract.team.deputy,
            checkpoint=source.checkpoint.text,
            tree_size=source.checkpoint.size,
            tree_root=source.checkpoint.root,
            ledger_state="sound" if source.soundness.sound else "unsound",
            ledger_message=source.soundness.message,
            ledger_checked_at=source.checked_at,
            stale_after_hours=source.stale_after_hours,
            problems=len(self.mark.problems()),
            duties={name: duty.title for name, duty in contract.duties.items()},
        )
