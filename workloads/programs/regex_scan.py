"""A text scanned, cut up and rewritten by regular expressions.

    python3 regex_scan.py [amount]

A unit of work is one page of mail and log lines: addresses, dates, amounts and links are found with
groups, names are rewritten by a function, and a scanner with many alternatives turns the page into
tokens.
"""

import random
import re
import sys
import zlib

ADDRESS = re.compile(r"\b([a-z]+(?:\.[a-z]+)*)@([a-z]+)\.(org|net|example)\b")
DATE = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?:T(?P<time>\d\d:\d\d))?")
AMOUNT = re.compile(r"(?:EUR|USD)\s*(\d{1,3}(?:,\d{3})*)(?:\.(\d\d))?")
LINK = re.compile(r"https?://([^/\s]+)((?:/[^/\s?]+)*)(?:\?(\S+))?")
DOUBLED = re.compile(r"\b(\w+)(\s+\1\b)+", re.IGNORECASE)
TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<quoted>\"(?:[^\"\\]|\\.)*\")|(?P<mark>[-+*/=<>!?.,:;()@&#%$'\[\]{}|~^]+)"
)


def line(dice):
    kind = dice.randrange(5)
    name = "".join(dice.choice("abcdefgh") for _ in range(dice.randint(3, 8)))
    number = dice.randrange(10 ** 7)
    if kind == 0:
        return "From: %s.%s@%s.org to the the list" % (name, name[::-1], name[:4])
    if kind == 1:
        return "on %04d-%02d-%02dT12:%02d paid EUR %s.%02d for \"%s\\\" it\"" % (
            1990 + number % 40, 1 + number % 12, 1 + number % 28, number % 60,
            format(number, ","), number % 100, name)
    if kind == 2:
        return "see http://%s.net/%s/%d?x=%d&y=%s for more More MORE" % (
            name, name[:3], number % 100, number, name)
    if kind == 3:
        return "[%d] (%s) = %d.%d * {x|y} && !z; # %s" % (number, name, number, number % 97, name)
    return " ".join(name[n:] + name[:n] for n in range(len(name)))


def swap(match):
    return "%s at %s" % (match.group(2), match.group(1).upper())


def main(amount=14):
    dice = random.Random(17)
    checksum = 0
    found = []
    for _ in range(amount):
        page = "\n".join(line(dice) for _ in range(250))
        found.append([match.groupdict() for match in DATE.finditer(page)])
        found.append(AMOUNT.findall(page))
        found.append([match.groups() for match in LINK.finditer(page)])
        rewritten = DOUBLED.sub(r"\1", ADDRESS.sub(swap, page))
        kinds = {}
        for match in TOKEN.finditer(rewritten):
            kinds.setdefault(match.lastgroup, []).append(match.group())
        pieces = re.split(r"[\s,;]+", rewritten)
        summary = sorted((kind, len(texts), max(texts)) for kind, texts in kinds.items())
        text = "%s %s %d %r" % (found[-3:], summary, len(pieces), pieces[::40])
        checksum = zlib.crc32(text.encode("ascii"), checksum)
        del found[:-30]
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
