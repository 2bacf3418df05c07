"""Exact arithmetic on decimals and fractions: interest, series, equations.

    python3 decimal_fractions.py [amount]

A unit of work pays off a loan in decimals, sums series in fractions, solves a system of equations
exactly, and expands a continued fraction.
"""

import sys
import zlib
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal, localcontext
from fractions import Fraction

CENT = Decimal("0.01")


def pay_off(loan, rate, payment):
    """Statements of a loan, one a month, until nothing is left."""
    left, month, statements = loan, 0, []
    while left > 0 and month < 400:
        interest = (left * rate / 12).quantize(CENT, rounding=ROUND_HALF_EVEN)
        paid = min(payment, left + interest)
        left = left + interest - paid
        month += 1
        statements.append((month, interest, paid, left))
    return statements


def root(value, digits):
    """Square root by Newton's iteration, to so many digits."""
    with localcontext() as context:
        context.prec = digits + 5
        guess = Decimal(value) / 2
        for _ in range(digits.bit_length() + 6):
            guess = (guess + Decimal(value) / guess) / 2
        context.prec = digits
        context.rounding = ROUND_UP
        return +guess


def bernoulli(count):
    """The first Bernoulli numbers."""
    numbers, row = [], []
    for m in range(count):
        row.append(Fraction(1, m + 1))
        for j in range(m, 0, -1):
            row[j - 1] = j * (row[j - 1] - row[j])
        numbers.append(row[0])
    return numbers


def solved(matrix):
    """Solution of a system of equations, one row each, the right side last."""
    rows = [[Fraction(value) for value in row] for row in matrix]
    size = len(rows)
    for n in range(size):
        pivot = next(m for m in range(n, size) if rows[m][n])
        rows[n], rows[pivot] = rows[pivot], rows[n]
        rows[n] = [value / rows[n][n] for value in rows[n]]
        for m in range(size):
            if m != n and rows[m][n]:
                factor = rows[m][n]
                rows[m] = [a - factor * b for a, b in zip(rows[m], rows[n])]
    return [row[-1] for row in rows]


def continued(fraction):
    terms = []
    while True:
        whole = fraction.numerator // fraction.denominator
        terms.append(whole)
        fraction -= whole
        if not fraction:
            return terms
        fraction = 1 / fraction


def main(amount=10):
    checksum = 0
    ledger = []
    for unit in range(1, amount + 1):
        loan = Decimal(90000 + 1000 * (unit % 40))
        statements = pay_off(loan, Decimal("0.0475"), Decimal(600 + unit % 50))
        ledger.extend(statements)
        del ledger[:max(0, len(ledger) - 3000)]
        series = sum((Fraction(1, n * n + unit) for n in range(1, 60)), Fraction(0))
        size = 8
        matrix = [[(i * j + unit) % 17 + (31 if i == j else 0) for j in range(size + 1)] for i in range(size)]
        solution = solved(matrix)
        for row in matrix:
            if sum(a * x for a, x in zip(row, solution)) != row[-1]:
                raise SystemExit("a solution is none")
        parts = [
            str(statements[-1]),
            str(sum(interest for _, interest, _, _ in ledger)),
            str(root(unit + 1, 60 + unit % 40)),
            str(bernoulli(24)[-2]),
            str(continued(series)[:30]),
            str(sum(solution)),
        ]
        checksum = zlib.crc32("\n".join(parts).encode("ascii"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
