"""An index over generated texts: dicts and sets that grow, shrink and are merged.

    python3 dict_index.py [amount]

A unit of work is two hundred documents that are indexed by word, by pair of words and by length.
Old documents are taken out again, so that tables shrink; queries intersect sets; now and then a
whole index is rebuilt. All iteration over sets is sorted.
"""

import random
import sys
import zlib

SYLLABLES = "ar be ci do en fu gi ho in ka lo mu ne or pa ru si ta un ve wo".split()


def vocabulary(dice, size):
    words = {}
    while len(words) < size:
        words["".join(dice.choice(SYLLABLES) for _ in range(dice.randint(1, 4)))] = True
    return list(words)


def document(dice, words):
    return [words[int(len(words) * dice.random() ** 3)] for _ in range(dice.randint(5, 60))]


class Index(object):
    def __init__(self):
        self.by_word = {}
        self.by_pair = {}
        self.by_length = {}

    def add(self, number, text):
        for place, word in enumerate(text):
            self.by_word.setdefault(word, {}).setdefault(number, []).append(place)
        for pair in zip(text, text[1:]):
            self.by_pair.setdefault(pair, set()).add(number)
        self.by_length.setdefault(len(text), set()).add(number)

    def remove(self, number, text):
        for word in set(text):
            places = self.by_word[word]
            del places[number]
            if not places:
                del self.by_word[word]
        for pair in set(zip(text, text[1:])):
            found = self.by_pair[pair]
            found.discard(number)
            if not found:
                del self.by_pair[pair]
        self.by_length[len(text)].discard(number)

    def find(self, words):
        found = None
        for word in words:
            numbers = set(self.by_word.get(word, ()))
            found = numbers if found is None else found & numbers
        return sorted(found or ())


def main(amount=12):
    dice = random.Random(7)
    words = vocabulary(dice, 3000)
    index = Index()
    documents = {}
    checksum = 0
    number = 0
    for _ in range(amount):
        for _ in range(200):
            text = document(dice, words)
            documents[number] = text
            index.add(number, text)
            if len(documents) > 500:
                old = min(documents) + dice.randrange(50)
                if old in documents:
                    index.remove(old, documents.pop(old))
            number += 1
        for _ in range(50):
            query = [words[int(40 * dice.random())] for _ in range(3)]
            checksum = zlib.crc32(str(index.find(query)).encode("ascii"), checksum)
        rebuilt = Index()
        for old, text in sorted(documents.items()):
            rebuilt.add(old, text)
        counts = (len(rebuilt.by_word), len(rebuilt.by_pair), len(index.by_pair))
        checksum = zlib.crc32(str(counts).encode("ascii"), checksum)
        index = rebuilt
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
