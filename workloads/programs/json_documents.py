"""Documents written as JSON and read back.

    python3 json_documents.py [amount]

A unit of work is a batch of orders: nested dicts and lists are built, dumped compactly and indented,
loaded, changed and compared. A stock of loaded documents stays alive and is replaced piece by piece.
"""

import json
import random
import sys
import zlib

PLACES = ["Aalst", "Brno", "C\u00f3rdoba", "Dole", "Erfurt", "Faro", "G\u00e4vle", "Hoorn"]


def article(dice):
    return {
        "sku": "A%06d" % dice.randrange(10 ** 6),
        "price": dice.randrange(100, 100000) / 100.0,
        "count": dice.randrange(1, 9),
        "tags": [dice.choice(["new", "sale", "heavy", "fragile"]) for _ in range(dice.randrange(4))],
        "note": None if dice.random() < 0.7 else "gift \"%d\"\n\t\u2603" % dice.randrange(1000),
    }


def order(dice, number):
    return {
        "number": number,
        "open": dice.random() < 0.3,
        "customer": {
            "name": "Customer %d" % dice.randrange(500),
            "place": dice.choice(PLACES),
            "points": [round(dice.uniform(-90, 90), 4), round(dice.uniform(-180, 180), 4)],
        },
        "articles": [article(dice) for _ in range(dice.randint(1, 12))],
        "history": {str(day): dice.randrange(100) for day in range(dice.randrange(6))},
    }


def total(document):
    return sum(round(100 * one["price"]) * one["count"] for one in document["articles"])


def main(amount=25):
    dice = random.Random(13)
    stock = []
    checksum = 0
    number = 0
    for batch in range(amount):
        orders = []
        for _ in range(60):
            number += 1
            orders.append(order(dice, number))
        compact = json.dumps(orders, separators=(",", ":"), sort_keys=True)
        loaded = json.loads(compact)
        if loaded != orders:
            raise SystemExit("a document has changed on its way")
        for document in loaded:
            document["total"] = total(document)
            if document["open"]:
                document["articles"].append({"sku": "X", "price": 0.5, "count": 1})
        indented = json.dumps(loaded, indent=2, ensure_ascii=False)
        again = json.loads(indented, parse_float=str)
        stock.extend(again)
        del stock[:max(0, len(stock) - 300)]
        largest = max(stock, key=lambda one: (one["total"], one["number"]))
        for text in (compact, indented, str(largest["number"])):
            checksum = zlib.crc32(text.encode("utf-8"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
