"""Queues, counters, heaps and caches from the standard library.

    python3 collection_queues.py [amount]

A unit of work is an hour at a help desk: calls enter queues of several priorities, are counted by
topic, answered from a cache that forgets the least recently used, merged, ranked and archived.
"""

import heapq
import itertools
import random
import sys
import zlib
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
from functools import lru_cache, reduce

Call = namedtuple("Call", "number caller topic minutes priority")


class Cache(object):
    def __init__(self, size):
        self.size = size
        self.held = OrderedDict()
        self.hits = 0

    def get(self, key, make):
        if key in self.held:
            self.hits += 1
            self.held.move_to_end(key)
            return self.held[key]
        value = self.held[key] = make(key)
        if len(self.held) > self.size:
            self.held.popitem(last=False)
        return value


@lru_cache(maxsize=256)
def answer(topic, caller):
    return tuple((caller * n + topic) % 97 for n in range(topic % 9 + 3))


class Desk(object):
    def __init__(self, dice):
        self.dice = dice
        self.number = 0
        self.queues = [deque() for _ in range(3)]
        self.later = []
        self.topics = Counter()
        self.by_caller = defaultdict(lambda: deque(maxlen=12))
        self.cache = Cache(300)

    def ring(self):
        dice = self.dice
        self.number += 1
        topic = int(60 * dice.random() * dice.random())
        call = Call(self.number, dice.randrange(900), topic, dice.randint(1, 30), dice.randrange(3))
        self.queues[call.priority].append(call)

    def next_call(self):
        queue = next(queue for queue in self.queues if queue)
        return queue.popleft()

    def handle(self, now):
        while self.later and self.later[0][0] <= now:
            _, call = heapq.heappop(self.later)
            self.queues[0].appendleft(call._replace(priority=0))
        call = self.next_call()
        self.topics[call.topic] += call.minutes
        text = self.cache.get((call.topic, call.caller % 20), lambda key: "answer %d to %d" % key)
        self.by_caller[call.caller].append((call.number, text, answer(call.topic, call.caller % 40)))
        if call.minutes % 7 == 0 and call.priority:
            heapq.heappush(self.later, (now + call.minutes, call))
        self.queues[2].rotate(1)
        return call


def main(amount=20):
    desk = Desk(random.Random(61))
    layers = []
    checksum = 0
    for hour in range(amount):
        for _ in range(420):
            desk.ring()
        handled = [desk.handle(60 * hour + n // 7) for n in range(400)]
        layers.append({call.caller: call.number for call in handled})
        del layers[:-6]
        known = ChainMap(*layers)
        longest = heapq.nlargest(8, handled, key=lambda call: (call.minutes, call.number))
        usual = desk.topics.most_common()
        usual.sort(key=lambda pair: (-pair[1], pair[0]))
        total = reduce(lambda a, b: a + b, (Counter({call.topic: 1}) for call in handled[:100]))
        pairs = itertools.islice(zip(handled, itertools.islice(handled, 1, None)), 0, None, 37)
        text = "%s %s %d %d %s %d" % (
            [call.number for call in longest], usual[:6], len(known), desk.cache.hits,
            sorted(total.items())[:9], sum(a.number ^ b.number for a, b in pairs))
        checksum = zlib.crc32(text.encode("ascii"), checksum)
    histories = sum(len(history) * caller for caller, history in desk.by_caller.items())
    print("checksum %d %d" % (checksum, histories))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
