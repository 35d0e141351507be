#!/usr/bin/env python3
"""What we write, read by another library (Debian's python3-icalendar). Argument: the program that writes the samples."""
import datetime
import pathlib
import subprocess
import sys
import tempfile

try:
    import icalendar
except ImportError:
    print("skipped: python3-icalendar is not installed")
    sys.exit(77)


def events(calendar):
    return list(calendar.walk("VEVENT"))


def check_lines(data):
    assert data.endswith(b"END:VCALENDAR\r\n")
    for line in data[:-2].split(b"\r\n"):
        assert len(line) <= 75, line
        assert b"\r" not in line and b"\n" not in line, line
        line.decode()  # no character is cut


def check_series(event):
    assert event["UID"] == "one@wales.example"
    assert event["SEQUENCE"] in (2, 3)
    start = event["DTSTART"].dt
    assert (start.year, start.month, start.day, start.hour) == (2027, 1, 12, 9), start
    assert str(event["DTSTART"].params["TZID"]) == "Europe/London"
    assert event["DTEND"].dt - start == datetime.timedelta(minutes=90)
    rule = event["RRULE"]
    assert rule["FREQ"] == ["MONTHLY"] and rule["BYDAY"] == ["2TU"], rule
    assert rule["UNTIL"][0].replace(tzinfo=None) == datetime.datetime(2027, 12, 31, 9)
    assert event["RDATE"].dts[0].dt.day == 1 and event["RDATE"].dts[0].dt.month == 3
    assert event["EXDATE"].dts[0].dt.day == 9 and event["EXDATE"].dts[0].dt.hour == 9
    assert event["SUMMARY"].startswith("Panel; rare diseases, “orphans”") and event["SUMMARY"].endswith("\U0001f3f4")
    assert event["DESCRIPTION"] == "One\nTwo, three; four \\ five"


def check_zone(calendar):
    zones = {str(zone["TZID"]): zone for zone in calendar.walk("VTIMEZONE")}
    assert len(zones) == len(list(calendar.walk("VTIMEZONE")))
    london = zones["Europe/London"].to_tz()
    for (month, day, hours) in ((1, 15, 0), (7, 15, 1), (3, 27, 0), (3, 28, 1), (10, 30, 1), (11, 1, 0)):
        moment = datetime.datetime(2027, month, day, 12)
        assert london.utcoffset(moment) == datetime.timedelta(hours=hours), (moment, london.utcoffset(moment))
    return zones


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        read = {}
        for path in pathlib.Path(folder).iterdir():
            data = path.read_bytes()
            check_lines(data)
            read[path.name] = icalendar.Calendar.from_ical(data)
            for component in read[path.name].walk():
                assert not component.errors, (path.name, component.errors)

    feed = read["feed.ics"]
    assert "METHOD" not in feed and str(feed["X-WR-CALNAME"]) == "Wales, what is on"
    by_uid = {}
    for event in events(feed):
        by_uid.setdefault(str(event["UID"]), []).append(event)
    assert list(by_uid) == ["day@wales.example", "one@wales.example", "tokyo@wales.example"], list(by_uid)
    day = by_uid["day@wales.example"][0]
    assert day["DTSTART"].dt == datetime.date(2027, 5, 1) and day["DTEND"].dt == datetime.date(2027, 5, 3)
    check_series(by_uid["one@wales.example"][0])
    moved = by_uid["one@wales.example"][1]
    assert moved["RECURRENCE-ID"].dt.month == 3 and "RRULE" not in moved
    tokyo = by_uid["tokyo@wales.example"][0]["DTSTART"].dt
    assert tokyo.utcoffset() == datetime.timedelta(hours=9), tokyo
    zones = check_zone(feed)
    assert set(zones) == {"Europe/London", "Asia/Tokyo"}

    for name, method, status in (("request.ics", "REQUEST", "CONFIRMED"), ("cancel.ics", "CANCEL", "CANCELLED")):
        assert read[name]["METHOD"] == method
        (event,) = events(read[name])
        check_series(event)
        assert event["STATUS"] == status
        assert event["ORGANIZER"] == "mailto:office@wales.example"
        assert event["ATTENDEE"] == "mailto:ann@example.org"
        assert event["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION"
        assert event["ATTENDEE"].params["ROLE"] == "CHAIR"
        assert event["ATTENDEE"].params["CN"].startswith("Evans, Ann")
    assert read["reply.ics"]["METHOD"] == "REPLY"
    print("4 calendars of ours are read by python3-icalendar", getattr(icalendar, "__version__", ""))


main()
