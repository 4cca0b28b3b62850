"""date(1) of BSD, by the host's clock."""

import calendar
import os
import re
import sys
import time

from . import getopt
from .registry import served

_USAGE = """\
usage: date [-jnRu] [-I[date|hours|minutes|seconds|ns]] [-f input_fmt]
            [ -z output_zone ] [-r filename|seconds] [-v[+|-]val[y|m|w|d|H|M|S]]
            [[[[mm]dd]HH]MM[[cc]yy][.SS] | new_date] [+output_fmt]"""
_ADJUST = re.compile(r"([+-]?)(\d+)([ymwdHMS])$")
_DEFAULT = "%a %b %e %H:%M:%S %Z %Y"


def _usage(message=None):
    if message:
        print(message, file=sys.stderr)
    print(_USAGE, file=sys.stderr)
    return 1


def _adjust(moment, text, local):
    match = _ADJUST.match(text)
    if match is None:
        raise ValueError(text)
    sign, number, unit = match[1], int(match[2]), match[3]
    fields = list(local(moment)[:6])
    index = {"y": 0, "m": 1, "d": 2, "w": 2, "H": 3, "M": 4, "S": 5}[unit]
    if unit == "w":
        number *= 7
    fields[index] = number if not sign else fields[index] + (number if sign == "+" else -number)
    if unit in "ym":
        fields[0] += (fields[1] - 1) // 12
        fields[1] = (fields[1] - 1) % 12 + 1
    normal = (*fields, 0, 0, -1)
    return _utc_seconds(normal) if local is time.gmtime else time.mktime(normal)


def _utc_seconds(fields):
    return calendar.timegm((*fields[:6], 0, 0, 0))


@served("/bin/date")
def date(arguments, context):
    """Prints a time; setting the clock is `lab clock`."""
    try:
        found, operands = getopt.parse("date", arguments[1:], "I:f:jnRr:uv:z:")
    except getopt.UsageError as error:
        return _usage(error)
    flags = {letter for letter, _ in found}
    local = time.gmtime if "u" in flags else time.localtime
    moment = context.clock.now()
    style = None
    adjustments = []
    for letter, value in found:
        if letter == "r":
            if not value.lstrip("-").isdigit():
                try:
                    moment = os.stat(value).st_mtime
                except OSError:
                    print(f"date: {value}: No such file or directory", file=sys.stderr)
                    return 1
            else:
                moment = int(value)
        elif letter == "f":
            style = value
        elif letter == "v":
            adjustments.append(value)
    if style is not None:
        if not operands:
            return _usage()
        try:
            parsed = time.strptime(operands[0], style)
        except ValueError:
            print(f"Failed conversion of ``{operands[0]}'' using format ``{style}''", file=sys.stderr)
            return _usage("date: illegal time format")
        moment = _from_parsed(parsed, style, moment, local)
        operands = operands[1:]
    try:
        for text in adjustments:
            moment = _adjust(moment, text, local)
    except ValueError as error:
        return _usage(f"{error}: Cannot apply date adjustment")
    output = _DEFAULT
    for word in operands:
        if word.startswith("+"):
            output = word[1:]
        elif "j" not in flags:
            print("date: settimeofday (timeval): Operation not permitted", file=sys.stderr)
            return 1
    if "R" in flags:
        output = "%a, %d %b %Y %T %z"
    print(_format(output, moment, local))
    return 0


def _from_parsed(parsed, style, now, local):
    if "%s" in style:
        return time.mktime(parsed)
    # What the format does not name stays as it is now, as BSD's strptime leaves it.
    fields = list(local(now)[:6])
    for index, letters in enumerate(("YyCDFcsG", "mbBhDFcj", "deDFcj", "HIkTRcr", "MTRcr", "STcr")):
        if any(f"%{letter}" in style for letter in letters):
            fields[index] = parsed[index]
    if "%z" in style and parsed.tm_gmtoff is not None:
        return _utc_seconds(fields) - parsed.tm_gmtoff
    normal = (*fields, 0, 0, -1)
    return _utc_seconds(normal) if local is time.gmtime else time.mktime(normal)


def _format(style, moment, local):
    # Python's strftime is the C library's; %N and %s need the moment itself.
    style = style.replace("%s", str(int(moment))).replace("%N", "N")
    text = time.strftime(style, local(moment))
    return text.replace("GMT", "UTC") if local is time.gmtime else text
