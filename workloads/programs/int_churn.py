"""A counting loop that replaces ints at random places of a live set.

What the `int-churn` generator imitates, as a program to record:

    python3 int_churn.py [live] [steps] [seed]

The iterables are made beforehand, so that in the marked region only the loop's int and the product
are allocated. The region is bracketed by two requests of MARK bytes.
"""

import itertools
import random
import sys

# bytes(n) asks for n + 33 bytes at once; nothing else here comes near that size.
MARK = 1234544


def mark():
    bytes(MARK - 33)


def churn(live, numbers, slots, operands):
    for i, slot, operand in zip(numbers, slots, operands):
        live[slot] = i * operand


def main(live_count=10000, steps=200000, seed=1):
    dice = random.Random(seed)
    # One digit of 30 bits, or two.
    operands = []
    for _ in range(steps):
        bits = 29 if dice.random() < 0.5 else 59
        operands.append((1 << bits) - dice.randrange(1 << 16))
    slots = [dice.randrange(live_count) for _ in range(steps)]
    # From here on a product with a one-digit operand has two digits.
    first = 1 << 20
    live = [None] * live_count
    churn(live, range(first, first + live_count), itertools.count(), operands)
    numbers = range(first, first + steps)

    mark()
    churn(live, numbers, slots, operands)
    mark()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
