import pytest

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
batteries = import_health("batteries")
encryption = import_health("encryption")
temperatures = import_health("temperatures")


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def chip(computer: Computer, number: int, name: str, **attributes: object) -> None:
    for attribute, value in {"name": name, **attributes}.items():
        computer.write(f"/sys/class/hwmon/hwmon{number}/{attribute}", f"{value}\n")


def zone(computer: Computer, number: int, kind: str, **attributes: object) -> None:
    for attribute, value in {"type": kind, **attributes}.items():
        computer.write(f"/sys/class/thermal/thermal_zone{number}/{attribute}", f"{value}\n")


def refusal(source, request) -> tuple[str, str]:
    with pytest.raises((answer.Absent, answer.Unavailable)) as caught:
        source(request)
    return type(caught.value).__name__, caught.value.reason


def test_each_sensor_is_a_row_with_its_own_limits(computer):
    chip(computer, 0, "coretemp", temp1_input=54000, temp1_label="Package id 0", temp1_max=80000, temp1_crit=100000)
    chip(computer, 1, "acpitz", temp1_input=-5500, in0_input=12000)
    assert temperatures.observe_temperatures(computer.request()) == [
        {"chip": "acpitz", "label": "temp1", "celsius": -5.5, "maximum": None, "critical": None},
        {"chip": "coretemp", "label": "Package id 0", "celsius": 54.0, "maximum": 80.0, "critical": 100.0},
    ]


@pytest.mark.parametrize("limit", ["65261850", "-273150", "0", "200001", "", "hot", "80.5"])
def test_a_limit_that_means_no_limit_is_none(computer, limit):
    chip(computer, 0, "nvme", temp1_input=40000, temp1_max=limit, temp1_crit=limit)
    (row,) = temperatures.observe_temperatures(computer.request())
    assert (row["maximum"], row["critical"]) == (None, None)


@pytest.mark.parametrize("reading", [{"temp2_input": "-128000"}, {"temp2_input": ""}, {"temp2_input": "300000"}])
def test_a_sensor_without_a_possible_number_is_named_beside_the_others(computer, reading):
    chip(computer, 0, "nct6775", temp1_input=40000, **reading)
    told = temperatures.observe_temperatures(computer.request())
    assert [row["label"] for row in told.data] == ["temp1"]
    assert told.detail == "no number from nct6775 temp2"


def test_a_sensor_that_reports_a_fault_is_not_believed(computer):
    chip(computer, 0, "w83627", temp1_input=127000, temp1_fault=1, temp1_max=80000)
    assert refusal(temperatures.observe_temperatures, computer.request()) == ("Unavailable", "failed")


def test_two_chips_of_one_name_are_told_apart_by_their_devices(computer):
    for number in (0, 1):
        chip(computer, number, "nvme", temp1_input=40000)
        computer.write(f"/sys/devices/nvme{number}/x")
        (computer.root / f"sys/class/hwmon/hwmon{number}/device").symlink_to(f"../../../devices/nvme{number}")
    rows = temperatures.observe_temperatures(computer.request())
    assert [row["chip"] for row in rows] == ["nvme (nvme0)", "nvme (nvme1)"]


def test_an_old_driver_keeps_its_sensors_in_the_device(computer):
    computer.write("/sys/class/hwmon/hwmon0/device/name", "lm75\n")
    computer.write("/sys/class/hwmon/hwmon0/device/temp1_input", "21000\n")
    (row,) = temperatures.observe_temperatures(computer.request())
    assert (row["chip"], row["celsius"]) == ("lm75", 21.0)


def test_a_thermal_zone_counts_where_hwmon_does_not_show_it(computer):
    chip(computer, 0, "coretemp", temp1_input=40000)
    chip(computer, 1, "cpu_thermal", temp1_input=40000)
    zone(computer, 0, "x86_pkg_temp", temp=40000)
    zone(computer, 1, "cpu-thermal", temp=40000)
    zone(computer, 2, "acpitz", temp=40000, **{"hwmon2/temp1_input": 40000})
    trips = {"trip_point_0_type": "passive", "trip_point_0_temp": 60000, "trip_point_1_type": "critical"}
    zone(
        computer,
        3,
        "soc",
        temp=41000,
        trip_point_1_temp=105000,
        trip_point_2_type="hot",
        trip_point_2_temp=95000,
        **trips,
    )
    rows = [row for row in temperatures.observe_temperatures(computer.request()) if "zone" in row["label"]]
    assert rows == [{"chip": "soc", "label": "thermal_zone3", "celsius": 41.0, "maximum": 95.0, "critical": 105.0}]


def test_a_computer_without_sensors_has_none(computer):
    assert refusal(temperatures.observe_temperatures, computer.request()) == ("Absent", "none")
    chip(computer, 0, "fan", fan1_input=900)
    assert refusal(temperatures.observe_temperatures, computer.request()) == ("Absent", "none")


@pytest.mark.parametrize(
    "source", [temperatures.observe_temperatures, batteries.observe_batteries, encryption.observe_encryption]
)
def test_a_container_has_no_hardware_of_its_own(computer, source):
    computer.write("/.dockerenv")
    chip(computer, 0, "coretemp", temp1_input=40000)
    supply(computer, "BAT0")
    assert refusal(source, computer.request()) == ("Absent", "container")


def supply(computer: Computer, name: str, **attributes: object) -> None:
    known = {"type": "Battery", "present": 1, "status": "Discharging", "cycle_count": 321}
    for attribute, value in {**known, **attributes}.items():
        computer.write(f"/sys/class/power_supply/{name}/{attribute}", f"{value}\n")


def test_a_battery_in_watt_hours(computer):
    supply(computer, "BAT0", energy_full=41230000, energy_full_design=57020000)
    supply(computer, "AC", type="Mains")
    assert batteries.observe_batteries(computer.request()) == [
        {"name": "BAT0", "state": "discharging", "full_wh": 41.23, "design_wh": 57.02, "cycles": 321}
    ]


def test_ampere_hours_are_multiplied_by_the_nominal_voltage(computer):
    supply(computer, "BAT1", charge_full=3000000, charge_full_design=5000000, voltage_min_design=11400000)
    (row,) = batteries.observe_batteries(computer.request())
    assert (row["full_wh"], row["design_wh"]) == (34.2, 57.0)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"energy_full": 0, "energy_full_design": 0},
        {"energy_full": -1, "energy_full_design": "x"},
        {"charge_full": 3000000, "charge_full_design": 5000000},
    ],
)
def test_a_battery_that_does_not_tell_has_nulls(computer, attributes):
    supply(computer, "BAT0", **attributes, cycle_count=0)
    (row,) = batteries.observe_batteries(computer.request())
    assert (row["full_wh"], row["design_wh"], row["cycles"]) == (None, None, None)


@pytest.mark.parametrize("attributes", [{"scope": "Device"}, {"present": 0}, {"type": "UPS"}, {"type": "Mains"}])
def test_a_mouse_an_empty_bay_and_a_plug_are_no_batteries(computer, attributes):
    supply(computer, "hid-1", **attributes)
    assert refusal(batteries.observe_batteries, computer.request()) == ("Absent", "none")


def test_a_computer_without_power_supplies_has_no_battery(computer):
    assert refusal(batteries.observe_batteries, computer.request()) == ("Absent", "none")


def block(
    computer: Computer, name: str, number: str, uuid: str = "", slaves: tuple[str, ...] = (), part: str = ""
) -> None:
    """A block device: a disk, a partition `part` of `name`, or a mapped device over others."""
    place = f"/sys/devices/block/{name}" if not part else f"/sys/devices/block/{name}/{part}"
    own = part or name
    computer.write(f"{place}/{'partition' if part else 'size'}", "1\n")
    if uuid:
        computer.write(f"{place}/dm/uuid", f"{uuid}\n")
    (computer.root / place.lstrip("/") / "slaves").mkdir(exist_ok=True)
    for slave in slaves:
        computer.write(f"{place}/slaves/{slave}/x")
    for link in (f"sys/class/block/{own}", f"sys/dev/block/{number}"):
        path = computer.root / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(computer.root / place.lstrip("/"))
    computer.write(f"/dev/{own}")


def mounted(computer: Computer, *rows: tuple[str, str, str, str]) -> None:
    """Rows of device number, mount point, type, device."""
    lines = [
        f"{n} 1 {number} / {mount} rw - {kind} {device} rw" for n, (number, mount, kind, device) in enumerate(rows)
    ]
    computer.write("/proc/self/mountinfo", "\n".join(lines) + "\n")


def volumes(computer: Computer) -> dict[str, tuple[object, object]]:
    return {row["mount"]: (row["encrypted"], row["kind"]) for row in encryption.observe_encryption(computer.request())}


LUKS = "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-root"


def test_a_plain_partition_is_not_encrypted(computer):
    block(computer, "sda", "8:0")
    block(computer, "sda", "8:2", part="sda2")
    mounted(computer, ("8:2", "/", "ext4", "/dev/sda2"))
    assert encryption.observe_encryption(computer.request()) == [
        {"mount": "/", "device": "/dev/sda2", "encrypted": False, "kind": None}
    ]


@pytest.mark.parametrize(
    ("uuid", "told"),
    [
        (LUKS, (True, "luks")),
        (LUKS.replace("LUKS2", "LUKS1"), (True, "luks")),
        ("CRYPT-PLAIN-swap", (True, "plain")),
        ("CRYPT-TCRYPT-x", (True, "tcrypt")),
        ("CRYPT-BITLK-0123-x", (True, "bitlocker")),
        ("CRYPT-VERITY-0123-x", (False, None)),
        ("CRYPT-INTEGRITY-x", (False, None)),
        ("CRYPT-SUBDEV-x", (False, None)),
        ("LVM-abc", (False, None)),
        ("xCRYPT-LUKS2-x", (False, None)),
    ],
)
def test_only_what_hides_data_counts_as_encryption(computer, uuid, told):
    block(computer, "sda", "8:0")
    block(computer, "dm-0", "254:0", uuid, ("sda",))
    mounted(computer, ("254:0", "/", "ext4", "/dev/mapper/root"))
    assert volumes(computer) == {"/": told}


def test_a_logical_volume_is_as_encrypted_as_what_it_lies_on(computer):
    block(computer, "sda", "8:0")
    block(computer, "sda", "8:3", part="sda3")
    block(computer, "dm-0", "254:0", LUKS, ("sda3",))
    block(computer, "dm-1", "254:1", "LVM-root", ("dm-0",))
    block(computer, "dm-2", "254:2", "LVM-srv", ("dm-0", "sda3"))
    mounted(computer, ("254:1", "/", "ext4", "/dev/mapper/vg-root"), ("254:2", "/srv", "xfs", "/dev/mapper/vg-srv"))
    assert volumes(computer) == {"/": (True, "luks"), "/srv": (False, None)}


def test_a_partition_of_an_array_goes_down_through_the_array(computer):
    block(computer, "sda", "8:0")
    block(computer, "dm-0", "254:0", LUKS, ("sda",))
    block(computer, "md0", "9:0", slaves=("dm-0",))
    block(computer, "md0", "259:0", part="md0p1")
    mounted(computer, ("259:0", "/", "ext4", "/dev/md0p1"))
    assert volumes(computer) == {"/": (True, "luks")}


def test_a_btrfs_is_encrypted_when_all_its_devices_are(computer):
    block(computer, "sda", "8:0")
    block(computer, "dm-0", "254:0", LUKS, ("sda",))
    block(computer, "sdb", "8:16")
    computer.write("/sys/fs/btrfs/features/x")
    computer.write("/sys/fs/btrfs/uuid/devices/dm-0/x")
    (computer.root / "dev/mapper").mkdir()
    (computer.root / "dev/mapper/root").symlink_to("../dm-0")
    mounted(computer, ("0:35", "/", "btrfs", "/dev/mapper/root"))
    assert volumes(computer) == {"/": (True, "luks")}
    computer.write("/sys/fs/btrfs/uuid/devices/sdb/x")
    assert volumes(computer) == {"/": (False, None)}


def test_what_it_starts_from_and_what_was_plugged_in_are_left_out(computer):
    block(computer, "sda", "8:0")
    places = ["/boot", "/boot/efi", "/efi", "/media/user/STICK", "/run/media/user/STICK"]
    mounted(computer, *((f"8:{n}", place, "vfat", f"/dev/sda{n}") for n, place in enumerate(places)))
    assert refusal(encryption.observe_encryption, computer.request()) == ("Absent", "none")


def test_a_volume_of_which_nobody_can_tell_is_null(computer):
    mounted(computer, ("0:40", "/", "zfs", "rpool/root"), ("8:77", "/srv", "ext4", "/dev/gone"))
    assert volumes(computer) == {"/": (None, None), "/srv": (None, None)}


def test_a_file_server_is_not_a_volume_of_this_computer(computer):
    mounted(computer, ("0:41", "/home", "nfs4", "server:/home"))
    assert refusal(encryption.observe_encryption, computer.request()) == ("Absent", "none")


def test_swap_devices_have_rows_and_compressed_memory_has_none(computer):
    block(computer, "sda", "8:0")
    block(computer, "dm-1", "254:1", "CRYPT-PLAIN-swap", ("sda",))
    mounted(computer, ("8:0", "/", "ext4", "/dev/sda"))
    computer.write(
        "/proc/swaps",
        "Filename\tType\tSize\tUsed\tPriority\n/dev/dm-1 partition 1 0 -2\n/dev/zram0 partition 1 0 100\n"
        "/swapfile file 1 0 -3\n",
    )
    assert volumes(computer) == {"/": (False, None), "swap": (True, "plain")}


def test_devices_that_contain_each_other_end_the_search(computer):
    block(computer, "dm-0", "254:0", slaves=("dm-1",))
    block(computer, "dm-1", "254:1", slaves=("dm-0",))
    mounted(computer, ("254:0", "/", "ext4", "/dev/dm-0"))
    assert volumes(computer) == {"/": (None, None)}
