"""When a StartCalendarInterval fires next: cron's rules, in the local zone of the process."""

import time

_MAX_DAYS = 4 * 366 + 1


def next_fire(entries, now):
    """Returns the first time after `now` (seconds since the epoch) that an entry matches, or None within four years."""
    times = [found for found in (_next(entry, now) for entry in entries) if found is not None]
    return min(times, default=None)


def _matches_day(entry, local):
    if "Month" in entry and entry["Month"] != local.tm_mon:
        return False
    day = "Day" in entry
    weekday = "Weekday" in entry
    day_fits = day and entry["Day"] == local.tm_mday
    # launchd counts Sunday as 0 and 7, Python Monday as 0.
    weekday_fits = weekday and entry["Weekday"] % 7 == (local.tm_wday + 1) % 7 and 0 <= entry["Weekday"] <= 7
    if day and weekday:
        return day_fits or weekday_fits
    return (day_fits or not day) and (weekday_fits or not weekday)


def _choices(entry, key, limit):
    if key not in entry:
        return range(limit)
    return [entry[key]] if 0 <= entry[key] < limit else []


def _next(entry, now):
    start = time.localtime(now)
    for ahead in range(_MAX_DAYS):
        # Noon names the day whatever the clock change; mktime normalises days past the month's end.
        day = time.localtime(time.mktime((start.tm_year, start.tm_mon, start.tm_mday + ahead, 12, 0, 0, 0, 0, -1)))
        if not _matches_day(entry, day):
            continue
        for hour in _choices(entry, "Hour", 24):
            for minute in _choices(entry, "Minute", 60):
                moment = time.mktime((day.tm_year, day.tm_mon, day.tm_mday, hour, minute, 0, 0, 0, -1))
                if moment > now:
                    return moment
    return None
