"""A harbour, simulated event by event.

    python3 event_simulation.py [amount]

Ships arrive, wait for a berth, are unloaded by cranes crate by crate, and lorries take the crates
away. Events are tuples in a heap; ships, cranes and lorries are objects that send messages to each
other. A unit of work is one day.
"""

import heapq
import random
import sys
from collections import deque

HOUR = 60


class Crate(object):
    __slots__ = ("owner", "weight", "label")

    def __init__(self, owner, weight, label):
        self.owner = owner
        self.weight = weight
        self.label = label


class Ship(object):
    def __init__(self, name, crates, arrived):
        self.name = name
        self.crates = crates
        self.arrived = arrived
        self.berthed = None
        self.log = []


class Actor(object):
    """What takes messages: `receive` is called with a time, a subject and a thing."""

    def __init__(self, harbour, name):
        self.harbour = harbour
        self.name = name
        self.handled = 0

    def receive(self, now, subject, thing):
        self.handled += 1
        getattr(self, "on_" + subject)(now, thing)


class Crane(Actor):
    def __init__(self, harbour, name):
        super(Crane, self).__init__(harbour, name)
        self.ship = None

    def on_berthed(self, now, ship):
        self.ship = ship
        ship.berthed = now
        self.harbour.send(now + 5, self, "lift", ship)

    def on_lift(self, now, ship):
        if not ship.crates:
            self.ship = None
            ship.log.append((now, "left"))
            self.harbour.send(now + 10, self.harbour, "left", (ship, self))
            return
        crate = ship.crates.pop()
        ship.log.append((now, crate.label))
        self.harbour.send(now, self.harbour, "landed", crate)
        self.harbour.send(now + 1 + crate.weight // 10, self, "lift", ship)


class Lorry(Actor):
    def __init__(self, harbour, name, room):
        super(Lorry, self).__init__(harbour, name)
        self.room = room
        self.load = []
        self.delivered = {}

    def on_load(self, now, crates):
        self.load.extend(crates)
        distance = max(len(crate.owner) + crate.weight for crate in crates)
        self.harbour.send(now + distance, self, "back", None)

    def on_back(self, now, _):
        for crate in self.load:
            self.delivered.setdefault(crate.owner, []).append(crate.weight)
        self.load = []
        self.harbour.send(now, self.harbour, "idle", self)


class Harbour(Actor):
    def __init__(self, dice):
        super(Harbour, self).__init__(self, "harbour")
        self.dice = dice
        self.events = []
        self.sent = 0
        self.waiting = deque()
        self.yard = deque()
        self.left = []
        self.cranes = deque(Crane(self, "crane %d" % n) for n in range(4))
        self.lorries = deque(Lorry(self, "lorry %d" % n, 2 + n % 3) for n in range(12))
        self.all_lorries = list(self.lorries)

    def send(self, when, receiver, subject, thing):
        self.sent += 1
        heapq.heappush(self.events, (when, self.sent, receiver, subject, thing))

    def run(self, until):
        while self.events and self.events[0][0] <= until:
            when, _, receiver, subject, thing = heapq.heappop(self.events)
            receiver.receive(when, subject, thing)

    def on_arrival(self, now, number):
        dice = self.dice
        crates = [
            Crate("owner %d" % dice.randrange(60), dice.randint(1, 40), "%d/%d" % (number, n))
            for n in range(dice.randint(20, 120))
        ]
        self.waiting.append(Ship("ship %d" % number, crates, now))
        self.send(now + dice.randint(20, 2 * HOUR), self, "arrival", number + 1)
        self.berth(now)

    def berth(self, now):
        while self.waiting and self.cranes:
            self.send(now + 15, self.cranes.popleft(), "berthed", self.waiting.popleft())

    def on_left(self, now, pair):
        ship, crane = pair
        self.left.append(ship)
        self.cranes.append(crane)
        self.berth(now)

    def on_landed(self, now, crate):
        self.yard.append(crate)
        self.dispatch(now)

    def on_idle(self, now, lorry):
        self.lorries.append(lorry)
        self.dispatch(now)

    def dispatch(self, now):
        while self.lorries and len(self.yard) >= self.lorries[0].room:
            lorry = self.lorries.popleft()
            crates = [self.yard.popleft() for _ in range(lorry.room)]
            self.send(now + 3, lorry, "load", crates)


def main(amount=25):
    harbour = Harbour(random.Random(41))
    harbour.send(0, harbour, "arrival", 1)
    for day in range(1, amount + 1):
        harbour.run(24 * HOUR * day)
    waits = sum(ship.berthed - ship.arrived for ship in harbour.left)
    weights = sum(sum(map(sum, one.delivered.values())) for one in harbour.all_lorries)
    moves = sum(len(ship.log) for ship in harbour.left)
    print("checksum %d %d %d %d" % (harbour.sent, waits, weights, moves))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
