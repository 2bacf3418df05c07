"""A population of dicts, each dropped and grown again from empty.

What the `dict-resize` generator imitates, as a program to record:

    python3 dict_resize.py [live entries] [operations] [seed]

The plan is made beforehand, so that in the marked region only dicts, tables, keys and values are
allocated. The region is bracketed by two requests of MARK bytes.
"""

import random
import sys

# bytes(n) asks for n + 33 bytes at once; nothing else here comes near that size.
MARK = 1234544

LEAST_ENTRIES = 4


def mark():
    bytes(MARK - 33)


def grow_str(numbers, _):
    table = {}
    for i in numbers:
        table[str(i)] = i
    return table


def grow_int(numbers, _):
    table = {}
    for i in numbers:
        table[i] = i + 1
    return table


def grow_mixed(numbers, half):
    table = {}
    for i in numbers:
        table[str(i) if i < half else i] = i
    return table


def grow_window(numbers, width):
    table = {}
    deleting = numbers[0] + width
    for i in numbers:
        table[i] = i
        if i >= deleting:
            del table[i - width]
    return table


def draw_places(live, dice):
    """Function and final size of each dict: sizes of at least x have the chance 4 / x."""
    places = []
    while live > 0:
        entries = int(LEAST_ENTRIES / (1 - dice.random()))
        entries = min(entries, max_entries, live)
        live -= entries
        kinds = [grow_str, grow_int, grow_mixed, grow_window]
        places.append((dice.choices(kinds, [60, 25, 5, 10])[0], entries))
    return places


def draw_arguments(grow, entries, dice):
    """A range of numbers of 4 to 9 decimal digits, and the function's second argument."""
    count = 3 * entries if grow is grow_window else entries
    least = len(str(max(2 * count, 1000)))
    digits = dice.randint(least, 9)
    low = 10 ** (digits - 1)
    first = dice.randrange(low, 10 * low - count)
    second = entries if grow is grow_window else first + entries // 2
    return range(first, first + count), second


def operations_of(grow, entries):
    return {grow_str: 6, grow_int: 4, grow_mixed: 4, grow_window: 12}[grow] * entries + 4


def main(live_count=10000, operations=1000000, seed=1):
    global max_entries
    max_entries = live_count // 4
    dice = random.Random(seed)
    places = draw_places(live_count, dice)
    population = [grow(*draw_arguments(grow, entries, dice)) for grow, entries in places]
    plan = []
    while operations > 0:
        place = dice.randrange(len(places))
        grow, entries = places[place]
        plan.append((place, grow) + draw_arguments(grow, entries, dice))
        operations -= operations_of(grow, entries)

    mark()
    for place, grow, numbers, second in plan:
        population[place] = grow(numbers, second)
    mark()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
