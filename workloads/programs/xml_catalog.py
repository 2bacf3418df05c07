"""A catalogue built, written, parsed, searched and changed as XML.

    python3 xml_catalog.py [amount]

A unit of work is one catalogue: a tree of elements is made and written out, read back whole and
piece by piece, searched by path, rearranged, and counted by a handler of SAX events.
"""

import io
import random
import sys
import xml.etree.ElementTree as tree
import xml.sax
import zlib

KINDS = ["book", "map", "print", "letter"]


def catalogue(dice, size):
    root = tree.Element("catalogue", {"version": "2", "size": str(size)})
    shelf = None
    for n in range(size):
        if n % 25 == 0:
            shelf = tree.SubElement(root, "shelf", {"id": "s%d" % (n // 25)})
        item = tree.SubElement(shelf, "item", {"id": "i%d" % n, "kind": dice.choice(KINDS)})
        title = tree.SubElement(item, "title")
        title.text = "On <%d> & other \"matters\"" % dice.randrange(10 ** 6)
        title.tail = "\n    "
        for _ in range(dice.randrange(4)):
            author = tree.SubElement(item, "author")
            author.text = "Author \u00fc %d" % dice.randrange(300)
        if dice.random() < 0.4:
            tree.SubElement(item, "see", {"ref": "i%d" % dice.randrange(size)})
    return root


class Counter(xml.sax.ContentHandler):
    def __init__(self):
        xml.sax.ContentHandler.__init__(self)
        self.path = []
        self.counts = {}
        self.letters = 0

    def startElement(self, name, attributes):
        self.path.append(name)
        key = "/".join(self.path)
        self.counts[key] = self.counts.get(key, 0) + len(attributes) + 1

    def endElement(self, name):
        self.path.pop()

    def characters(self, content):
        self.letters += len(content)


def by_author(root):
    found = {}
    for item in root.iter("item"):
        for author in item.findall("author"):
            found.setdefault(author.text, []).append(item.get("id"))
    return sorted(found.items())


def rearranged(root):
    """The same items on one shelf per kind."""
    changed = tree.Element("catalogue", dict(root.attrib, version="3"))
    shelves = {kind: tree.SubElement(changed, "shelf", {"id": kind}) for kind in KINDS}
    for item in root.iter("item"):
        for see in item.findall("see"):
            if root.find(".//item[@id='%s']" % see.get("ref")) is item:
                item.remove(see)
        shelves[item.get("kind")].append(item)
    return changed


def main(amount=8):
    dice = random.Random(59)
    checksum = 0
    for _ in range(amount):
        text = tree.tostring(catalogue(dice, 220), encoding="utf-8")
        root = tree.fromstring(text)
        again = rearranged(root)
        written = tree.tostring(again, encoding="utf-8")
        handler = Counter()
        xml.sax.parse(io.BytesIO(written), handler)
        titles = []
        for _, element in tree.iterparse(io.BytesIO(written)):
            if element.tag == "title":
                titles.append(element.text)
            elif element.tag == "item":
                element.clear()
        summary = "%s %s %d %s" % (
            by_author(again), sorted(handler.counts.items()), handler.letters, titles[::9])
        checksum = zlib.crc32(summary.encode("utf-8"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
