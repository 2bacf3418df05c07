"""Lists of tuples and records sorted in many ways.

    python3 sort_records.py [amount]

A unit of work makes a table of results, sorts it by several keys, merges sorted runs, ranks and
groups it, and keeps a sorted list up to date by bisection.
"""

import bisect
import heapq
import itertools
import operator
import random
import sys
import zlib
from functools import cmp_to_key


class Result(object):
    __slots__ = ("name", "club", "points", "time")

    def __init__(self, name, club, points, time):
        self.name = name
        self.club = club
        self.points = points
        self.time = time

    def __lt__(self, other):
        return (-self.points, self.time, self.name) < (-other.points, other.time, other.name)

    def row(self):
        return (self.club, self.points, round(self.time, 2), self.name)


def results(dice, count):
    for _ in range(count):
        name = "".join(dice.choice("aeioubdfgk") for _ in range(dice.randint(3, 10)))
        yield Result(name, "club %02d" % dice.randrange(40), dice.randrange(500), dice.uniform(9, 90))


def by_length_then_text(one, other):
    return len(one[3]) - len(other[3]) or (one > other) - (one < other)


def merge_sorted(rows):
    """A merge sort of our own, on slices."""
    if len(rows) < 2:
        return rows
    half = len(rows) // 2
    low, high = merge_sorted(rows[:half]), merge_sorted(rows[half:])
    merged, i, j = [], 0, 0
    while i < len(low) and j < len(high):
        if high[j] < low[i]:
            merged.append(high[j])
            j += 1
        else:
            merged.append(low[i])
            i += 1
    return merged + low[i:] + high[j:]


def main(amount=12):
    dice = random.Random(29)
    league = []
    checksum = 0
    for _ in range(amount):
        season = list(results(dice, 1500))
        rows = [one.row() for one in season]
        first = [one.name for one in sorted(season)[:20]]
        by_club = sorted(rows)
        by_points = sorted(rows, key=operator.itemgetter(1, 3), reverse=True)
        by_name = sorted(rows, key=cmp_to_key(by_length_then_text))
        runs = [sorted(rows[n:n + 100]) for n in range(0, len(rows), 100)]
        if list(heapq.merge(*runs)) != by_club or merge_sorted(rows) != by_club:
            raise SystemExit("two sorts disagree")
        groups = [
            (club, [row[1] for row in group][-3:])
            for club, group in itertools.groupby(by_club, key=operator.itemgetter(0))
        ]
        for row in by_points[:200]:
            bisect.insort(league, (row[1], row[3]))
        del league[:max(0, len(league) - 1000)]
        ranks = {row: n for n, row in enumerate(by_name)}
        text = "%s %s %s %d" % (first, groups, league[::100], sum(ranks[row] for row in by_club[::70]))
        checksum = zlib.crc32(text.encode("ascii"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
