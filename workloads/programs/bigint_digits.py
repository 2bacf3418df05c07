"""Arithmetic on integers of one to some thousand digits.

    python3 bigint_digits.py [amount]

Digits of e and pi by integer series, factorials and their digit sums, powers to a modulus,
Fibonacci numbers by doubling, greatest common divisors. Each unit of work adds to the size of the
numbers a little and to how many there are.
"""

import math
import sys
import zlib


def digits_of_e(count):
    scale = 10 ** (count + 10)
    total = term = scale
    n = 1
    while term:
        term //= n
        total += term
        n += 1
    return str(total // 10 ** 10)


def arctan_inverse(x, scale):
    power = total = scale // x
    n, sign, square = 3, -1, x * x
    while power:
        power //= square
        total += sign * (power // n)
        n += 2
        sign = -sign
    return total


def digits_of_pi(count):
    scale = 10 ** (count + 10)
    quarter = 4 * arctan_inverse(5, scale) - arctan_inverse(239, scale)
    return str(4 * quarter // 10 ** 10)


def fibonacci(n):
    """F(n) and F(n + 1)."""
    if n == 0:
        return 0, 1
    a, b = fibonacci(n // 2)
    c, d = a * (2 * b - a), a * a + b * b
    return (d, c + d) if n % 2 else (c, d)


def is_probable_prime(n):
    if n % 2 == 0:
        return n == 2
    odd, shift = n - 1, 0
    while odd % 2 == 0:
        odd //= 2
        shift += 1
    for base in (2, 3, 5, 7, 11, 13, 17):
        if base >= n:
            continue
        x = pow(base, odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(shift - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def main(amount=10):
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    parts = []
    for unit in range(1, amount + 1):
        count = 100 + 10 * (unit % 50)
        parts.append(digits_of_e(count))
        parts.append(digits_of_pi(count))
        parts.append(str(fibonacci(1000 + 37 * unit)[0]))
        table = [1]
        for n in range(1, 200 + unit % 100):
            table.append(table[-1] * n)
        sums = [sum(map(int, str(value))) for value in table[::10]]
        parts.append(str(sums))
        start = 10 ** 18 + 1000 * unit
        parts.append(str([n for n in range(start, start + 200) if is_probable_prime(n)]))
        common = [math.gcd(table[-1], value * value + unit) for value in table[::7]]
        parts.append(str(sum(common) % (1 << 61)))
    print("checksum %d" % zlib.crc32("".join(parts).encode("ascii")))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
