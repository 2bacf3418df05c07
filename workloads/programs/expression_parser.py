"""A tokenizer, a recursive-descent parser and three passes over the trees it makes.

    python3 expression_parser.py [amount]

A unit of work is a script of assignments in a small language: the text is generated, cut into
tokens, parsed into nodes, simplified, printed and evaluated, and what was printed is parsed again
and must give the same value.
"""

import random
import sys
import zlib

MODULUS = (1 << 31) - 1


class Node(object):
    def __init__(self, kind, value=None, children=()):
        self.kind = kind
        self.value = value
        self.children = list(children)


def tokens(text):
    at = 0
    while at < len(text):
        letter = text[at]
        end = at + 1
        if letter.isspace():
            at = end
            continue
        if letter.isdigit():
            while end < len(text) and text[end].isdigit():
                end += 1
            yield "number", text[at:end]
        elif letter.isalpha():
            while end < len(text) and text[end].isalnum():
                end += 1
            yield "name", text[at:end]
        else:
            yield letter, letter
        at = end
    yield "end", ""


class Parser(object):
    def __init__(self, text):
        self.tokens = list(tokens(text))
        self.at = 0

    def take(self, *kinds):
        if self.tokens[self.at][0] in kinds:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def chain(self, operand, *kinds):
        left = operand()
        while True:
            operator = self.take(*kinds)
            if operator is None:
                return left
            left = Node("binary", operator[0], [left, operand()])

    def expression(self):
        return self.chain(self.term, "+", "-")

    def term(self):
        return self.chain(self.factor, "*", "%")

    def factor(self):
        if self.take("-"):
            return Node("minus", None, [self.factor()])
        if self.take("("):
            inside = self.expression()
            if not self.take(")"):
                raise SyntaxError("a bracket stays open")
            return inside
        kind, text = self.take("number", "name")
        return Node("number", int(text)) if kind == "number" else Node("name", text)


def simplified(node):
    children = [simplified(child) for child in node.children]
    if children and all(child.kind == "number" for child in children):
        return Node("number", value_of(Node(node.kind, node.value, children), {}))
    if node.kind == "binary" and node.value == "*":
        for child in children:
            if child.kind == "number" and child.value == 0:
                return Node("number", 0)
    return Node(node.kind, node.value, children)


def printed(node):
    if node.kind == "binary":
        return "(%s %s %s)" % (printed(node.children[0]), node.value, printed(node.children[1]))
    if node.kind == "minus":
        return "-%s" % printed(node.children[0])
    return str(node.value)


def value_of(node, names):
    if node.kind == "number":
        return node.value
    if node.kind == "name":
        return names.get(node.value, 1)
    values = [value_of(child, names) for child in node.children]
    if node.kind == "minus":
        return -values[0] % MODULUS
    left, right = values
    if node.value == "+":
        return (left + right) % MODULUS
    if node.value == "-":
        return (left - right) % MODULUS
    return left * right % MODULUS if node.value == "*" else left % (right or 1)


def generated(dice, depth):
    if depth == 0 or dice.random() < 0.15:
        return dice.choice(["x%d" % dice.randrange(40), str(dice.randrange(1000))])
    if dice.random() < 0.1:
        return "-" + generated(dice, depth - 1)
    sides = [generated(dice, depth - 1) for _ in range(2)]
    return "(%s)" % dice.choice("+-*%").join(sides)


def main(amount=12):
    dice = random.Random(19)
    names = {}
    checksum = 0
    for _ in range(amount):
        trees = []
        for _ in range(30):
            trees.append(Parser(generated(dice, 6)).expression())
        for number, tree in enumerate(trees):
            short = simplified(tree)
            text = printed(short)
            value = value_of(short, names)
            if value_of(Parser(text).expression(), names) != value:
                raise SystemExit("the printed tree has another value")
            names["x%d" % (number % 40)] = value
            checksum = zlib.crc32(("%s=%d" % (text, value)).encode("ascii"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
