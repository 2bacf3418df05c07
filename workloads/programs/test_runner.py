"""Unit tests generated, found, run and reported by `unittest`, with mocks and log records.

    python3 test_runner.py [amount]

A unit of work is a module of test cases for a small shopping cart: classes are made at run time,
some tests fail or raise on purpose, and the results are gathered from the runner. Times and
addresses stay out of the report.
"""

import io
import logging
import random
import sys
import unittest
import zlib
from unittest import mock


class Cart(object):
    def __init__(self, shop):
        self.shop = shop
        self.lines = {}

    def add(self, article, count=1):
        if count <= 0:
            raise ValueError("count of %s: %d" % (article, count))
        self.lines[article] = self.lines.get(article, 0) + count
        logging.getLogger("cart").info("%s x %d", article, count)

    def total(self):
        return sum(self.shop.price(article) * count for article, count in self.lines.items())


class Keeper(logging.Handler):
    def __init__(self):
        super(Keeper, self).__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))
        del self.lines[:-500]


def test_of(dice, number):
    """One test function; one in ten is wrong on purpose."""
    count, price, wrong = dice.randint(1, 9), dice.randint(1, 500), dice.random() < 0.1

    def totals(self):
        self.cart.add("article %d" % number, count)
        self.shop.price.return_value = price
        self.assertEqual(self.cart.total(), count * price + wrong)
        self.shop.price.assert_called_once_with("article %d" % number)

    def refuses(self):
        with self.assertRaisesRegex(ValueError, r"count of \w+: -?\d+"):
            self.cart.add("nothing", 0 if not wrong else 1)

    def keeps_order(self):
        names = ["n%d" % (n * number % 37) for n in range(20)]
        for name in names:
            self.cart.add(name)
        self.assertEqual(list(self.cart.lines), list(dict.fromkeys(names)))
        self.assertIn("n0", self.cart.lines, "the first is missing")

    def is_patched(self):
        with mock.patch.object(Cart, "total", return_value=number) as total:
            self.assertEqual([self.cart.total() for _ in range(3)], [number] * 3)
        self.assertEqual(total.call_count, 3 + wrong)

    return dice.choice([totals, refuses, keeps_order, is_patched])


def case_of(dice, name, tests):
    def set_up(self):
        self.shop = mock.Mock(spec=["price", "stock"])
        self.cart = Cart(self.shop)

    members = {"setUp": set_up}
    for number in range(tests):
        members["test_%03d" % number] = test_of(dice, number)
    return type(name, (unittest.TestCase,), members)


def main(amount=6):
    dice = random.Random(71)
    keeper = Keeper()
    keeper.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("cart")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(keeper)
    loader = unittest.TestLoader()
    checksum = 0
    for unit in range(amount):
        cases = [case_of(dice, "Cart%d_%d" % (unit, n), 25) for n in range(4)]
        suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)
        result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=2).run(suite)
        failed = sorted(test.id().rsplit(".", 1)[-1] for test, _ in result.failures + result.errors)
        kept = "\n".join(keeper.lines)
        text = "%d %s %s" % (result.testsRun, failed, kept)
        checksum = zlib.crc32(text.encode("ascii"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
