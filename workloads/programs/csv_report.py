"""Tables written and read as CSV, grouped, summed and set as a report.

    python3 csv_report.py [amount]

A unit of work is one month of sales: a file in memory is written with quoting, read back as dicts,
grouped by region and product, joined with a price list, and printed as wrapped text.
"""

import csv
import io
import random
import sys
import textwrap
import zlib

REGIONS = ["north", "east, inner", "south", 'the "old" west']
FIELDS = ["day", "region", "product", "count", "price", "remark"]


def sales(dice, month):
    for _ in range(600):
        product = "P%03d" % dice.randrange(120)
        yield {
            "day": "2021-%02d-%02d" % (1 + month % 12, dice.randint(1, 28)),
            "region": dice.choice(REGIONS),
            "product": product,
            "count": dice.randint(1, 40),
            "price": "%.2f" % dice.uniform(1, 400),
            "remark": " ".join(dice.choice(["late", "paid", "back; again", "a\nb", ""]) for _ in range(4)),
        }


def written(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, quoting=csv.QUOTE_MINIMAL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(text):
    for row in csv.DictReader(io.StringIO(text)):
        row["count"] = int(row["count"])
        row["cents"] = int(round(100 * float(row["price"])))
        yield row


def grouped(rows, *keys):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def quartiles(values):
    values = sorted(values)
    return tuple(values[len(values) * n // 4] for n in (1, 2, 3))


def report(groups, names):
    lines = []
    for (region, product), rows in sorted(groups.items()):
        turnover = sum(row["count"] * row["cents"] for row in rows)
        remarks = " ".join(row["remark"] for row in rows).split()
        lines.append("%-16s %-24s %4d %12.2f %s" % (
            region, names[product], len(rows), turnover / 100.0, quartiles([r["cents"] for r in rows])))
        text = ", ".join(sorted(set(remarks)))
        lines.extend(textwrap.wrap(text, 40, initial_indent="    ", subsequent_indent="      "))
    return "\n".join(lines)


def main(amount=10):
    dice = random.Random(43)
    names = {"P%03d" % n: "product %s" % ("abcdefghij"[n % 10] * (1 + n % 9)) for n in range(120)}
    year = []
    checksum = 0
    for month in range(amount):
        rows = list(sales(dice, month))
        text = written(rows)
        again = list(read(text))
        if [row["remark"] for row in again] != [row["remark"] for row in rows]:
            raise SystemExit("a remark has changed on its way")
        page = report(grouped(again, "region", "product"), names)
        year.extend((row["day"], row["product"], row["count"] * row["cents"]) for row in again)
        del year[:max(0, len(year) - 6000)]
        tabbed = io.StringIO()
        csv.writer(tabbed, "excel-tab", quoting=csv.QUOTE_ALL).writerows(sorted(year)[::10])
        for part in (text, page, tabbed.getvalue()):
            checksum = zlib.crc32(part.encode("utf-8"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
