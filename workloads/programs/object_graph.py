"""Objects that point at each other: trees, rings and meshes, with and without __slots__.

    python3 object_graph.py [amount]

A unit of work grows a treap and takes things out of it again, builds a mesh of people who know each
other and leaves it to the garbage collector, and keeps weak references to see what has gone.
"""

import gc
import random
import sys
import weakref


class Leaf(object):
    """A treap's node: a search tree by key, a heap by rank."""

    __slots__ = ("key", "rank", "left", "right")

    def __init__(self, key, rank):
        self.key = key
        self.rank = rank
        self.left = None
        self.right = None


def split(node, key):
    """Two treaps: keys below `key`, and the others."""
    if node is None:
        return None, None
    if node.key < key:
        node.right, rest = split(node.right, key)
        return node, rest
    rest, node.left = split(node.left, key)
    return rest, node


def merge(low, high):
    if low is None or high is None:
        return low or high
    if low.rank > high.rank:
        low.right = merge(low.right, high)
        return low
    high.left = merge(low, high.left)
    return high


def depth(node):
    return 0 if node is None else 1 + max(depth(node.left), depth(node.right))


def keys(node):
    if node is not None:
        yield from keys(node.left)
        yield node.key
        yield from keys(node.right)


class Person(object):
    def __init__(self, number, town):
        self.number = number
        self.town = town
        self.friends = []
        self.best = None

    def meet(self, other):
        self.friends.append(other)
        other.friends.append(self)
        if self.best is None or other.number > self.best.number:
            self.best = other


class Traveller(Person):
    def __init__(self, number, town):
        super(Traveller, self).__init__(number, town)
        self.towns = {town: 1}

    def meet(self, other):
        self.towns[other.town] = self.towns.get(other.town, 0) + 1
        super(Traveller, self).meet(other)


def society(dice, size):
    kinds = [Person, Person, Traveller]
    people = [dice.choice(kinds)(n, "town %d" % dice.randrange(30)) for n in range(size)]
    for person in people:
        for _ in range(3):
            other = people[dice.randrange(size)]
            if other is not person:
                person.meet(other)
    return people


def chain_of_best(person):
    seen = {}
    while person is not None and person.number not in seen:
        seen[person.number] = len(seen)
        person = person.best
    return len(seen)


def main(amount=10):
    gc.disable()
    dice = random.Random(23)
    tree = None
    checksum = 0
    ghosts = []
    for _ in range(amount):
        for _ in range(700):
            key = dice.randrange(1 << 20)
            low, high = split(tree, key)
            tree = merge(merge(low, Leaf(key, dice.random())), high)
        middle = dice.randrange(1 << 20)
        low, high = split(tree, middle)
        gap, high = split(high, middle + (1 << 18))
        checksum += 7 * sum(1 for _ in keys(gap)) + depth(gap)
        tree = merge(low, high)
        people = society(dice, 400)
        checksum += sum(chain_of_best(person) for person in people[::5])
        ghosts.extend(weakref.ref(person) for person in people[::50])
        del people
        # Collected at fixed places, so that every run has the same ghosts.
        gc.collect()
        checksum += sum(1 for ghost in ghosts if ghost() is None)
    checksum += depth(tree) + sum(keys(tree)) % 1000003
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
