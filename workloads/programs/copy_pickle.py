"""Structures of objects copied in depth, pickled and unpickled.

    python3 copy_pickle.py [amount]

A unit of work builds a project of tasks that depend on each other, copies it with `copy.deepcopy`,
changes the copy, and sends both through every pickle protocol that Python 3.6 has.
"""

import copy
import pickle
import random
import sys
import zlib
from collections import OrderedDict
from datetime import date, timedelta


class Task(object):
    def __init__(self, name, days, start):
        self.name = name
        self.days = days
        self.start = start
        self.before = []
        self.after = []
        self.notes = {}

    def depends_on(self, other):
        self.before.append(other)
        other.after.append(self)

    def end(self):
        return self.start + timedelta(days=self.days)


class Worker(object):
    __slots__ = ("name", "tasks", "rate")

    def __init__(self, name, rate):
        self.name = name
        self.rate = rate
        self.tasks = []

    def __getstate__(self):
        return (self.name, self.rate, self.tasks)

    def __setstate__(self, state):
        self.name, self.rate, self.tasks = state


class Project(object):
    def __init__(self, dice, size):
        first = date(2020, 1, 1) + timedelta(days=dice.randrange(1000))
        self.workers = [Worker("worker %d" % n, 10.0 + n / 4.0) for n in range(8)]
        self.tasks = OrderedDict()
        for n in range(size):
            task = Task("task %d" % n, dice.randint(1, 20), first)
            task.notes["key %d" % (n % 7)] = (n, [n] * (n % 5), frozenset([n, n + 1]))
            for other in dice.sample(list(self.tasks.values()), min(n, dice.randint(0, 3))):
                task.depends_on(other)
                task.start = max(task.start, other.end())
            self.tasks[task.name] = task
            dice.choice(self.workers).tasks.append(task)

    def summary(self):
        last = max(task.end() for task in self.tasks.values())
        costs = [sum(task.days for task in one.tasks) * one.rate for one in self.workers]
        links = sum(len(task.before) - len(task.after) for task in self.tasks.values())
        return "%s %s %d %d" % (last.isoformat(), costs, links, len(self.tasks))


def delay(project, days):
    for task in project.tasks.values():
        if not task.before:
            task.start += timedelta(days=days)
        else:
            task.start = max(other.end() for other in task.before)
        task.notes["delayed"] = days


def main(amount=12):
    dice = random.Random(31)
    archive = []
    checksum = 0
    for unit in range(amount):
        project = Project(dice, 90)
        twin = copy.deepcopy(project)
        delay(twin, unit)
        flat = [copy.copy(task) for task in twin.tasks.values()]
        texts = [project.summary(), twin.summary(), str(len(flat))]
        for protocol in range(5):
            stored = pickle.dumps((project, twin), protocol)
            first, second = pickle.loads(stored)
            if (first.summary(), second.summary()) != (texts[0], texts[1]):
                raise SystemExit("a project has changed on its way")
        archive.append(first)
        del archive[:-6]
        plain = {n: (str(n), [float(n)] * 3, {"n": n}) for n in range(800)}
        again = pickle.loads(pickle.dumps(copy.deepcopy(plain), 2))
        texts.append(str(sum(value[1][0] for value in again.values())))
        checksum = zlib.crc32("\n".join(texts).encode("ascii"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
