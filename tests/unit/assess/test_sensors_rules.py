import pytest

from tests.support.judging import judge, judge_one
from tests.support.observations import battery, observation, ok, sensor


def hot(*rows):
    return observation(temperatures=ok(list(rows)))


@pytest.mark.parametrize(
    ("celsius", "maximum", "critical", "status", "name"),
    [
        (79.999, 80.0, 100.0, "ok", "ok"),
        (80.0, 80.0, 100.0, "warn", "high"),
        (99.999, 80.0, 100.0, "warn", "high"),
        (100.0, 80.0, 100.0, "fail", "critical"),
        (80.0, 80.0, None, "warn", "high"),
        (500.0, 80.0, None, "warn", "high"),
        (99.0, None, 100.0, "ok", "ok"),
        (100.0, None, 100.0, "fail", "critical"),
        (-5.0, 0.0, 10.0, "ok", "ok"),
    ],
)
def test_a_sensor_is_judged_by_its_own_limits(celsius, maximum, critical, status, name):
    finding = judge_one(hot(sensor(celsius, maximum, critical)), "sensors.temperature")
    assert (finding.status, finding.fact) == (status, f"sensors.temperature.{name}")
    assert (finding.threshold, finding.threshold_source) == ({}, "the sensor's own limits")


def test_a_value_just_below_its_limit_is_not_rounded_onto_it():
    assert "shows 79.999 °C of 80 °C" in judge_one(hot(sensor(79.999)), "sensors.temperature").reason


def test_sensors_below_their_limits_give_one_finding_that_names_the_nearest():
    rows = [sensor(45.0), sensor(70.0, label="Core 1"), sensor(30.0, 32.0, None, chip="nvme", label="Composite")]
    finding = judge_one(hot(*rows, sensor(90.0, None, None)), "sensors.temperature")
    assert finding.reason == (
        "All sensors that have limits are below them, count: 3; the one nearest to its limit, nvme Composite, "
        "shows 30 °C of 32 °C."
    )


def test_a_hot_sensor_is_told_without_praise_for_the_others():
    findings = judge(hot(sensor(), sensor(101.0, label="Core 7")), "sensors.temperature")
    assert [(finding.status, finding.subject) for finding in findings] == [("fail", "coretemp Core 7")]


def test_sensors_without_limits_are_facts():
    assert judge(hot(sensor(150.0, None, None)), "sensors.temperature") == []


@pytest.mark.parametrize(
    "row",
    [
        sensor("45"),
        sensor(None),
        sensor(float("nan")),
        sensor(1e9),
        sensor(45.0, "80"),
        sensor(45.0, 80.0, float("inf")),
        sensor(45.0, chip=None),
        sensor(45.0, label=""),
        "hot",
    ],
)
def test_a_sensor_of_another_shape_is_unknown_and_hides_no_other(row):
    findings = judge(hot(sensor(), row, sensor(101.0)), "sensors.temperature")
    assert [finding.status for finding in findings] == ["fail", "unknown"]
    assert [finding.status for finding in judge(hot(sensor(), row), "sensors.temperature")] == ["unknown"]


def worn(*rows):
    return observation(batteries=ok(list(rows)))


@pytest.mark.parametrize(
    ("full", "design", "status"),
    [
        (50.0, 50.0, "ok"),
        (52.5, 50.0, "ok"),
        (30.0, 50.0, "ok"),
        (29.999, 50.0, "warn"),
        (20.0, 50.0, "warn"),
        (19.999, 50.0, "fail"),
        (0.0, 50.0, "fail"),
        (26.82, 44.7, "ok"),  # exactly 60 %, which binary fractions would miss
        (17.88, 44.7, "warn"),  # exactly 40 %
        (3, 5, "ok"),
    ],
)
def test_a_battery_is_judged_by_what_it_still_holds(full, design, status):
    finding = judge_one(worn(battery(full, design)), "battery.wear")
    assert (finding.status, finding.subject) == (status, "BAT0")
    assert finding.threshold == {"warn_pct": 60.0, "fail_pct": 40.0}


def test_a_worn_battery_is_told_with_its_cycles():
    finding = judge_one(worn(battery(24.0)), "battery.wear")
    assert finding.reason == "BAT0 holds 48 % of what it was built for, below the 60 % limit (charge cycles: 112)."
    assert "cycles: not reported" in judge_one(worn(battery(24.0, cycles=None)), "battery.wear").reason


def test_a_contract_may_ask_for_more_of_a_battery():
    finding = judge_one(worn(battery(35.0)), "battery.wear", thresholds={"warn_pct": 80})
    assert (finding.status, finding.threshold_source) == ("warn", "contract (warn_pct); else itcare's own choice")


@pytest.mark.parametrize(("full", "design"), [(None, 50.0), (45.0, None), (None, None), (45.0, 0), (0, 0.0)])
def test_a_battery_that_does_not_tell_is_unknown(full, design):
    assert judge_one(worn(battery(full, design)), "battery.wear").fact == "battery.wear.unmeasured"


@pytest.mark.parametrize(
    "row",
    [battery("45"), battery(-1.0), battery(True), battery(1e9), battery(name=None), battery(cycles=-1), [], None],
)
def test_a_battery_of_another_shape_is_unknown(row):
    findings = judge(worn(row, battery()), "battery.wear")
    assert [finding.fact for finding in findings] == ["battery.wear.malformed", "battery.wear.ok"]
