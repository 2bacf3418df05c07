"""Generators in long chains, deep recursion, closures and exceptions that unwind it all.

    python3 generator_pipeline.py [amount]

A unit of work sends some thousand numbers through a pipeline of generators, walks a nested list
recursively, permutes a word, counts change with a memo, and raises out of a deep call.
"""

import itertools
import sys


class Overflow(Exception):
    def __init__(self, depth, value):
        super(Overflow, self).__init__("%d at depth %d" % (value, depth))
        self.depth = depth
        self.value = value


def counting(first, count):
    for n in range(first, first + count):
        yield n


def scaled(numbers, factor):
    for n in numbers:
        yield n * factor


def without(numbers, divisor):
    return (n for n in numbers if n % divisor)


def paired(numbers):
    before = 0
    for n in numbers:
        yield (before, n)
        before = n


def averaging():
    """A coroutine: takes values, gives the mean of all so far."""
    total = count = 0
    mean = None
    while True:
        total += yield mean
        count += 1
        mean = total / count


def nested(depth):
    return [depth] if depth == 0 else [depth, nested(depth - 1), [depth, [depth]]]


def flattened(thing):
    if isinstance(thing, list):
        for part in thing:
            yield from flattened(part)
    else:
        yield thing


def permutations(word):
    if len(word) <= 1:
        yield word
        return
    for n, letter in enumerate(word):
        for rest in permutations(word[:n] + word[n + 1:]):
            yield letter + rest


def change_counter(coins):
    memo = {}

    def ways(amount, first):
        if amount == 0:
            return 1
        if amount < 0 or first == len(coins):
            return 0
        key = (amount, first)
        if key not in memo:
            memo[key] = ways(amount - coins[first], first) + ways(amount, first + 1)
        return memo[key]

    return ways


def dive(depth, value, limit):
    if value > limit:
        raise Overflow(depth, value)
    return 1 + dive(depth + 1, value + depth, limit)


def main(amount=14):
    sys.setrecursionlimit(5000)
    checksum = 0
    for unit in range(amount):
        numbers = counting(1000 + unit, 3000)
        for divisor in (2, 3, 5, 7):
            numbers = without(scaled(numbers, 3), divisor)
        mean = averaging()
        next(mean)
        for before, n in paired(numbers):
            checksum += int(mean.send(n - before))
        checksum += sum(flattened(nested(120 + unit % 30)))
        words = sorted(itertools.islice(permutations("allocat"), 0, None, 11))
        checksum += sum(map(ord, "".join(words[::50])))
        checksum += change_counter([1, 2, 5, 10, 20, 50])(150 + unit, 0)
        for limit in range(20000, 40001, 5000):
            try:
                dive(0, unit, limit)
            except Overflow as overflow:
                checksum += overflow.depth + len(str(overflow))
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
