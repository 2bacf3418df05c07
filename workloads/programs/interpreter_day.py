"""A bit of everything an interpreter does in a day: the suite's recorded CPython program.

    python3 interpreter_day.py [rounds]

Each round parses a log with regular expressions, aggregates it in dicts and instances, writes it
as JSON and reads it back, formats a report, compiles and runs a small module, and searches a
graph. Nothing is read from outside, nothing is random without a seed, and the checksum printed at
the end is the same on every version, so a wrong allocator is seen.
"""

from __future__ import print_function

import json
import re
import sys

LINE = re.compile(r"(\S+) \[(\d+)\] (GET|PUT|POST) (/[\w/.-]*) (\d{3}) (\d+)")


class Dice(object):
    """A linear congruential generator: the same numbers everywhere."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 1103515245 + 12345) % (1 << 31)
        return (self.state >> 8) % bound


class Request(object):
    def __init__(self, host, time, verb, path, status, size):
        self.host = host
        self.time = time
        self.verb = verb
        self.path = path
        self.status = status
        self.size = size

    def is_error(self):
        return self.status >= 400


class Tally(object):
    def __init__(self):
        self.count = 0
        self.bytes = 0
        self.errors = []

    def add(self, request):
        self.count += 1
        self.bytes += request.size
        if request.is_error():
            self.errors.append((request.time, request.path))


def write_log(dice, lines):
    for _ in range(lines):
        yield "10.0.%d.%d [%d] %s /%s/%s.html %d %d" % (
            dice.below(4),
            dice.below(256),
            1500000000 + dice.below(1000000),
            ("GET", "GET", "GET", "PUT", "POST")[dice.below(5)],
            ("img", "doc", "api/v2", "news")[dice.below(4)],
            "page-%d" % dice.below(300),
            (200, 200, 200, 304, 404, 500)[dice.below(6)],
            dice.below(1 << 20),
        )


def parse_log(lines):
    for line in lines:
        match = LINE.match(line)
        host, time, verb, path, status, size = match.groups()
        yield Request(host, int(time), verb, path, int(status), int(size))


def aggregate(requests):
    by_path = {}
    for request in requests:
        tally = by_path.get(request.path)
        if tally is None:
            tally = by_path[request.path] = Tally()
        tally.add(request)
    return by_path


def to_json(by_path):
    rows = [
        {
            "path": path,
            "count": tally.count,
            "bytes": tally.bytes,
            "mean": float(tally.bytes // tally.count),
            "errors": [{"time": time, "path": where} for time, where in tally.errors],
        }
        for path, tally in sorted(by_path.items())
    ]
    return json.loads(json.dumps({"rows": rows, "complete": True}))["rows"]


def format_report(rows):
    lines = []
    total = 0
    for number, row in enumerate(rows):
        total += row["bytes"]
        words = row["path"].strip("/").replace("-", " ").split("/")
        title = " ".join(word.capitalize() for word in words)
        lines.append("%4d  %-30s %8d %12d  %s" % (
            number, title, row["count"], total, "!" * len(row["errors"])))
    return "\n".join(lines)


MODULE = '''
class Point%(n)d(object):
    """A point of family %(n)d."""

    def __init__(self, x, y=%(n)d):
        self.x, self.y = x, y

    def __add__(self, other):
        return Point%(n)d(self.x + other.x, self.y + other.y)

    def norm(self):
        return sum(v * v for v in (self.x, self.y))

def run(count):
    points = [Point%(n)d(i, -i) for i in range(count)]
    total = Point%(n)d(0, 0)
    for point in points:
        if point.x %% 3 == 0 and not point.y == 7:
            total = total + point
    try:
        return total.norm() + {"a": 1, "b": [2, 3]}["b"][-1]
    except (KeyError, IndexError) as error:
        return len(str(error))
'''


def compile_and_run(count):
    result = 0
    for n in range(count):
        names = {}
        exec(compile(MODULE % {"n": n}, "<module %d>" % n, "exec"), names)
        result += names["run"](40 + n)
    return result


def shortest_paths(dice, nodes):
    edges = dict((node, set()) for node in range(nodes))
    for node in range(1, nodes):
        for _ in range(3):
            other = dice.below(node)
            edges[node].add(other)
            edges[other].add(node)
    distance = {0: 0}
    front = [0]
    while front:
        following = []
        for node in front:
            for other in sorted(edges[node]):
                if other not in distance:
                    distance[other] = distance[node] + 1
                    following.append(other)
        front = following
    return sum(distance.values())


def main(rounds=3):
    dice = Dice(42)
    checksum = 0
    for number in range(rounds):
        rows = to_json(aggregate(parse_log(write_log(dice, 500))))
        report = format_report(rows)
        checksum += sum(bytearray(report.encode("ascii")))
        checksum += compile_and_run(4 + number)
        checksum += shortest_paths(dice, 400)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
