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
    # Few objects, many references: what is drawn beforehand adds little to the base heap.
    indices = list(range(live_count))
    slots = [dice.choice(indices) for _ in range(steps)]
    # One digit of 30 bits, or two.
    one_digit = [(1 << 29) - n for n in range(32)]
    two_digits = [(1 << 59) - n for n in range(32)]
    operands = [dice.choice(dice.choice((one_digit, two_digits))) for _ in range(steps)]
    # From here on a product with a one-digit operand has two digits.
    first = 1 << 20
    live = [None] * live_count
    churn(live, range(first, first + live_count), indices, itertools.cycle(operands))
    numbers = range(first, first + steps)

    mark()
    churn(live, numbers, slots, operands)
    mark()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
