"""Parts of a contract that are checked and kept, and that this version does not act upon yet.

They are here so that a contract can be written down whole. Nothing is planned, moved, notified or accepted
by them; docs/contract-v1.md says so with each.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from itcare.contract import fields
from itcare.contract.fields import DISTINCT, EACH_ONCE, FILLED, FREEZE, expected
from itcare.contract.part import Part


class DaysOff(Part):
    """Days on which the firm or the client is closed beside the holidays."""

    firm: Annotated[tuple[fields.Day, ...], EACH_ONCE] = ()
    client: Annotated[tuple[fields.Day, ...], EACH_ONCE] = ()


class Overlay(Part):
    """Other hours or staffing on some days: the last working days of a month, some of them, or dates."""

    id: fields.ShortName
    last_n_working_days: Annotated[int, Field(ge=1, le=23)] | None = None
    nth_working_days: Annotated[tuple[Annotated[int, Field(ge=1, le=23)], ...], DISTINCT] | None = None
    dates: Annotated[tuple[fields.Day, ...], DISTINCT] | None = None
    hours: fields.DayHours | None = None
    services: Annotated[tuple[fields.ShortName, ...], DISTINCT] = ()
    phone_staff: Annotated[int, Field(ge=0, le=1000)] | None = None

    @model_validator(mode="after")
    def _check_days(self) -> "Overlay":
        if sum(days is not None for days in (self.last_n_working_days, self.nth_working_days, self.dates)) != 1:
            raise expected("exactly one of last_n_working_days: N, nth_working_days: [N, …], dates: [DAY, …]")
        return self


class Calendar(Part):
    """The working days and hours of firm and client."""

    version: fields.CalendarVersion
    holidays: Annotated[tuple[fields.HolidayCalendar, ...], DISTINCT]
    hours: Annotated[Mapping[fields.Weekdays, fields.DayHours], FILLED, *FREEZE]
    days_off: DaysOff = DaysOff()
    overlays: tuple[Overlay, ...] = ()

    @model_validator(mode="after")
    def _check_unique(self) -> "Calendar":
        days = [day for weekdays in self.hours for day in fields.weekdays_of(weekdays)]
        if len(set(days)) != len(days):
            raise expected("hours for each weekday once; two entries name the same one")
        names = [overlay.id for overlay in self.overlays]
        if len(set(names)) != len(names):
            raise expected("overlays with an id of their own each")
        return self


class Contact(Part):
    """A person of the client with dated rights; without `sites` they hold for all."""

    email: fields.Email
    rights: Annotated[tuple[fields.Right, ...], DISTINCT]
    sites: Annotated[tuple[fields.SiteName, ...], DISTINCT] | None = None
    first_day: fields.Day | None = None
    last_day: fields.Day | None = None


class Defaults(Part):
    """What holds for duties that say nothing else."""

    holiday_rule: fields.HolidayRule | None = None
    catch_up_working_days: Annotated[int, Field(ge=0, le=60)] | None = None
    notify_days_before: Annotated[tuple[Annotated[int, Field(ge=0, le=60)], ...], EACH_ONCE] | None = None


class Acceptance(Part):
    """After how many working days of silence work counts as accepted; None is never."""

    tacit_after_working_days: Annotated[int, Field(ge=1, le=365)] | None = None
