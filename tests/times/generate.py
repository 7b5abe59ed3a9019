#!/usr/bin/env python3
"""Writes dateutil.tsv: times as python-dateutil, which the AWS CLI uses, reads them.

    python3 -m venv env && env/bin/pip install python-dateutil==2.9.0.post0
    env/bin/python tests/times/generate.py > tests/times/dateutil.tsv

Each line has the text and the time in UTC with microseconds, `no zone` and the time if dateutil finds
no time zone, or `error`. The variable TZ is UTC.
"""

import itertools
import os
import time
import warnings

os.environ["TZ"] = "UTC"
time.tzset()
warnings.simplefilter("ignore")

import dateutil.parser  # noqa: E402
import dateutil.tz  # noqa: E402

DATES = ["2036-04-22", "20360422"]
SEPARATORS = ["T", " ", "t"]
TIMES = ["22:56:02", "225602", "22:56", "22:56:02.5", "22:56:02,123456789", "225602.25", "22:56:02.1234567"]
ZONES = ["Z", "z", "+0000", "+00:00", "+01", "-0330", "+05:45", "UTC", " UTC", "GMT", " +0100", " Z", "utc", ""]
OTHERS = """\
2036-04-22T22:56:02+0000
2036-04-22T22:56:02.000+0000
2036-04-22T22:56:02.000000000000000Z
2036-04-22T22:56:02-00:00
2036-04-22T22:56:02+23:59
2036-04-22T22:56:02-1200
2036-04-22T22Z
2036-04-22T22+01
2036-04-22T2256Z
20360422T22Z
20360422T2256Z
20360422T2256+0100
20360422225602Z
203604222256Z
2036-04-22Z
2036-04-22
20360422
2036/04/22 22:56:02Z
2036.04.22 22:56:02Z
2036-4-2T2:5:2Z
2036-04-22  22:56:02  +01:00
 2036-04-22T22:56:02Z 
2036-02-29T00:00:00Z
2037-02-29T00:00:00Z
2036-13-01T00:00:00Z
2036-00-01T00:00:00Z
2036-04-31T00:00:00Z
2036-04-22T24:00:00Z
2036-04-22T23:60:00Z
2036-04-22T23:59:60Z
2036-04-22T25:00:00Z
2036-04-22T22:56:02+24:00
2036-04-22T22:56:02+
2036-04-22T22:56:02.Z
2036-04-22T22:56:02ZZ
2036-04-22T22:56:02Zulu
2036-04-22T
9999-12-31T23:59:59Z
0001-01-01T00:00:00Z
0000-01-01T00:00:00Z
2092444562
never
-
+
2036-04-22T22:56:02+01:0
2036-04-22T22:56:02+1
2036-04-22T22:56:02+001
2036-04-22T22:56:02+01:00:00
2036-04-22T22:56:02 +01 00
2036-04-22T22:56:02UTC+1
2036-04-22T22:56:02X
2036-04-22T-1:56:02Z
2036-04-22T22:56:02--01:00
2036-04-22TT22:56:02Z
2036-04-22T22:56:02.5.5Z
2036-04-22T22:56:02.5,5Z
2036-04-22,22:56:02Z
Wed, 22 Apr 2036 22:56:02 GMT
22 Apr 2036 22:56:02 UTC
2036-04-22 10:56:02 PM UTC""".split("\n")


def read(text):
    try:
        found = dateutil.parser.parse(text)
    except Exception:  # dateutil raises many types, OverflowError among them.
        return "error"
    if found.tzinfo is None:
        return "no zone " + found.isoformat(timespec="microseconds")
    try:
        return found.astimezone(dateutil.tz.UTC).isoformat(timespec="microseconds")
    except (OverflowError, ValueError):
        return "error"


def main():
    mixed = itertools.product(DATES, SEPARATORS, TIMES, ZONES)
    for text in [*OTHERS, *map("".join, mixed)]:
        print(f"{text}\t{read(text)}")


main()
