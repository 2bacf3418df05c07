"""A ledger in an SQLite database that is kept in memory.

    python3 sqlite_ledger.py [amount]

A unit of work books a batch of transfers between accounts, some of which are rolled back, and asks
for balances, statements and the largest customers. SQLite allocates by itself for the most part;
rows, parameters and results are Python objects.
"""

import random
import sqlite3
import sys
import zlib

SCHEMA = """
CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, balance INTEGER NOT NULL
                      CHECK (balance >= 0));
CREATE TABLE entry (id INTEGER PRIMARY KEY, source INTEGER REFERENCES account,
                    target INTEGER REFERENCES account, amount INTEGER, purpose TEXT);
CREATE INDEX entry_source ON entry (source);
CREATE INDEX entry_target ON entry (target);
CREATE VIEW turnover AS SELECT owner, SUM(amount) AS total, COUNT(*) AS entries
    FROM account JOIN entry ON source = account.id GROUP BY owner;
"""


class Median(object):
    """An aggregate function in Python."""

    def __init__(self):
        self.values = []

    def step(self, value):
        self.values.append(value)

    def finalize(self):
        self.values.sort()
        return self.values[len(self.values) // 2] if self.values else None


def opened(accounts):
    ledger = sqlite3.connect(":memory:")
    ledger.create_aggregate("median", 1, Median)
    ledger.create_function("initials", 1, lambda owner: "".join(w[0] for w in owner.split()))
    ledger.executescript(SCHEMA)
    rows = [(n, "owner %c %d" % (97 + n % 26, n % 90), 10000) for n in range(accounts)]
    ledger.executemany("INSERT INTO account VALUES (?, ?, ?)", rows)
    ledger.commit()
    return ledger


def transfer(ledger, source, target, amount, purpose):
    try:
        with ledger:
            ledger.execute("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, source))
            ledger.execute("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, target))
            ledger.execute(
                "INSERT INTO entry (source, target, amount, purpose) VALUES (?, ?, ?, ?)",
                (source, target, amount, purpose))
    except sqlite3.IntegrityError:
        return False
    return True


def main(amount=14):
    dice = random.Random(47)
    ledger = opened(400)
    checksum = refused = 0
    for unit in range(amount):
        for _ in range(250):
            source, target = dice.sample(range(400), 2)
            purpose = "invoice %d of %s" % (dice.randrange(10 ** 6), "month " * dice.randrange(4))
            refused += not transfer(ledger, source, target, dice.randrange(1, 4000), purpose)
        questions = [
            ("SELECT * FROM turnover ORDER BY total DESC, owner LIMIT 15", ()),
            ("SELECT initials(owner), median(balance), MAX(balance) FROM account GROUP BY 1"
             " ORDER BY 1", ()),
            ("SELECT * FROM entry WHERE source = ? OR target = ? ORDER BY id", (unit, unit + 7)),
            ("SELECT purpose, amount FROM entry WHERE purpose LIKE ? ORDER BY id DESC LIMIT 50",
             ("%month%",)),
            ("SELECT SUM(balance) FROM account", ()),
        ]
        for question, arguments in questions:
            rows = ledger.execute(question, arguments).fetchall()
            checksum = zlib.crc32(repr(rows).encode("ascii"), checksum)
    ledger.close()
    print("checksum %d %d" % (checksum, refused))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
