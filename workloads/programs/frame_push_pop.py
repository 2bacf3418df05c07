"""Recursion to varying depth through functions of six kinds.

What the `frame-push-pop` generator imitates, as a program to record:

    python3 frame_push_pop.py [deepest] [operations] [seed]

Each function calls the next, so a call at depth d is of kind d % 6. One dive in eight is unwound
by an exception. The depths are drawn beforehand. The region is bracketed by two requests of MARK
bytes.
"""

import random
import sys

# bytes(n) asks for n + 33 bytes at once; nothing else here comes near that size.
MARK = 1234544

LEAST_DEPTH = 16

# A dive counts down to one of these. Both are above the interpreter's cache of small ints.
RETURNING = 1 << 20
RAISING = 1 << 21
ENDS = frozenset([RETURNING, RAISING])


class Bottom(Exception):
    pass


def mark():
    bytes(MARK - 33)


def end(n):
    if n == RAISING:
        raise Bottom
    return n


def plain(n):
    if n in ENDS:
        return end(n)
    return wide(n - 1) + 1


def wide(n):
    if n in ENDS:
        return end(n)
    a = b = c = d = e = f = g = h = i = j = k = l = m = o = p = q = n
    return closing(q - 1) + 1


def closing(n):
    if n in ENDS:
        return end(n)

    def inner():
        return n

    return starred(n - 1, origin=None) + 1


def starred(*args, **names):
    if args[0] in ENDS:
        return end(args[0])
    return binding(args[0] - 1) + 1


def binding(n):
    if n in ENDS:
        return end(n)
    call = WALKER.step
    return call(n - 1) + 1


class Walker(object):
    def step(self, n):
        if n in ENDS:
            return end(n)
        for m in counting(n):
            return plain(m - 1) + 1


def counting(n):
    yield n


WALKER = Walker()


def dive(n):
    try:
        plain(n)
    except Bottom:
        pass


def main(deepest=10000, operations=1000000, seed=1):
    sys.setrecursionlimit(deepest + 1000)
    dice = random.Random(seed)
    plan = []
    while operations > 0:
        depth = min(int(LEAST_DEPTH / (1 - dice.random())), deepest)
        end = RAISING if dice.random() < 0.125 else RETURNING
        plan.append(end + depth)
        operations -= 6 * depth

    # The free lists and the data stack of a program that has been that deep before.
    dive(RETURNING + deepest)
    mark()
    for n in plan:
        dive(n)
    mark()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
