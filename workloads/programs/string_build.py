"""Text that is put together, cut up, changed and formatted.

    python3 string_build.py [amount]

A unit of work is a chapter: words are joined, a page is set by hand with `+=`, lines are split and
justified, letters are counted, translated and replaced, tables are formatted in three ways.
"""

import random
import sys
import zlib

LETTERS = "etaoinshrdlu"
SHIFT = str.maketrans("abcdefghijklmnopqrstuvwxyz", "defghijklmnopqrstuvwxyzabc")


def sentence(dice):
    words = []
    for _ in range(dice.randint(4, 18)):
        words.append("".join(dice.choice(LETTERS) for _ in range(dice.randint(1, 9))))
    return " ".join(words).capitalize() + dice.choice(".!?")


def justify(words, width):
    if len(words) == 1:
        return words[0].ljust(width)
    gaps = len(words) - 1
    spaces = width - sum(map(len, words))
    line = ""
    for n, word in enumerate(words[:-1]):
        line += word + " " * (spaces // gaps + (1 if n < spaces % gaps else 0))
    return line + words[-1]


def set_page(text, width):
    lines, line, length = [], [], 0
    for word in text.split():
        if line and length + 1 + len(word) > width:
            lines.append(justify(line, width))
            line, length = [], 0
        length += len(word) + (1 if line else 0)
        line.append(word)
    lines.append(" ".join(line))
    return "\n".join(lines)


def tables(text):
    counts = {}
    for word in text.lower().replace(".", "").replace("!", "").replace("?", "").split():
        counts[word] = counts.get(word, 0) + 1
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:200]
    old = ["%-12s|%6d|%8.3f" % (word, count, count / 7.0) for word, count in rows]
    new = ["{0:>12} {1:06d} {2!r}".format(word, count, word[:3]) for word, count in rows]
    latest = [f"{word:^14}{count:>+5}{len(word) * 'x'}" for word, count in rows]
    return old + new + latest


def main(amount=14):
    dice = random.Random(11)
    book = []
    checksum = 0
    for number in range(amount):
        text = ""
        for _ in range(150):
            text += sentence(dice) + " "
        page = set_page(text, 60 + number % 20)
        secret = page.translate(SHIFT).replace("h", "HH").swapcase()
        pieces = [line.strip().partition(" ") for line in secret.splitlines()]
        reversed_page = "\n".join(tail + middle + head for head, middle, tail in pieces)
        wide = "\u00e9".join(page.split("e")) + "\u20ac" * 10
        book.append(page)
        parts = [page, secret, reversed_page, wide.upper()] + tables(text)
        for part in parts:
            checksum = zlib.crc32(part.encode("utf-8"), checksum)
        if len(book) > 8:
            checksum = zlib.crc32("".join(book).encode("ascii"), checksum)
            book = book[4:]
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
