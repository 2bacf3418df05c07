"""Source text parsed, changed as a tree, compiled and run.

    python3 compile_modules.py [amount]

A unit of work generates a module of functions and classes, parses it, looks through its tree,
folds constants and renames variables in it, compiles the result, runs it, and takes the code
objects apart. Nothing that depends on the version of Python enters the checksum.
"""

import ast
import random
import sys
import types

FUNCTION = '''
def step_{n}(value, limit={limit}, *rest, flag=False, **names):
    """Step {n} of the module."""
    total = {a} + {b} * {c}
    for index, item in enumerate([value, *rest]):
        if item % {m} == 0 and not flag:
            total += item // {m}
        elif index > limit:
            break
        else:
            total = total ^ (item << {s})
    try:
        table = {{key: names.get(key, {a}) for key in ("one", "two", "three")}}
        total += sum(table.values()) - table["missing"]
    except KeyError as error:
        total -= len(str(error))
    with_lambda = lambda x, y={b}: (x * y) % 1000003
    return with_lambda(total) if total >= 0 else -with_lambda(-total)
'''

CLASS = '''
class Walker_{n}(object):
    scale = {c}

    def __init__(self, start):
        self.place = start
        self.track = []

    @property
    def length(self):
        return len(self.track)

    def walk(self, steps):
        while steps > 0:
            self.place = (self.place * self.scale + {b}) % 65537
            self.track.append((self.place, steps))
            steps -= 1
        return [f"{{place}}:{{step}}" for place, step in self.track if place % 2]
'''

RUN = '''
def run(value):
    results = [{calls}]
    walkers = [{walkers}]
    texts = [text for walker in walkers for text in walker.walk(value % 13 + 5)]
    return sum(results) + sum(map(len, texts)) + walkers[0].length
'''


def module(dice, functions, classes):
    parts = []
    for n in range(functions):
        numbers = {key: dice.randint(1, 90) for key in "abc"}
        parts.append(FUNCTION.format(
            n=n, limit=dice.randint(1, 9), m=dice.randint(2, 9), s=dice.randint(1, 4), **numbers))
    for n in range(classes):
        parts.append(CLASS.format(n=n, b=dice.randint(1, 99), c=dice.randint(2, 99)))
    calls = ", ".join("step_%d(value, %d, value + %d)" % (n, n % 7, n) for n in range(functions))
    walkers = ", ".join("Walker_%d(value + %d)" % (n, n) for n in range(classes))
    parts.append(RUN.format(calls=calls, walkers=walkers))
    return "\n".join(parts)


class Folding(ast.NodeTransformer):
    """Works out sums and products of constants, and gives a local variable another name."""

    OPERATORS = {ast.Add: lambda a, b: a + b, ast.Mult: lambda a, b: a * b}

    def visit_BinOp(self, node):
        self.generic_visit(node)
        work_out = self.OPERATORS.get(type(node.op))
        try:
            left, right = ast.literal_eval(node.left), ast.literal_eval(node.right)
        except ValueError:
            return node
        if work_out is None or not isinstance(left, int) or not isinstance(right, int):
            return node
        return ast.copy_location(ast.parse(repr(work_out(left, right)), mode="eval").body, node)

    def visit_Name(self, node):
        if node.id == "total":
            node.id = "running_total"
        return node


def names_of(code):
    """Names of all functions in a code object, found in its constants."""
    found = [code.co_name]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.extend(names_of(constant))
    return found


def main(amount=8):
    dice = random.Random(53)
    loaded = []
    checksum = 0
    for unit in range(amount):
        text = module(dice, 14, 6)
        tree = Folding().visit(ast.parse(text))
        ast.fix_missing_locations(tree)
        kinds = {}
        for node in ast.walk(tree):
            kinds.setdefault(type(node).__name__, []).append(node)
        checksum += len(kinds["FunctionDef"]) * len(kinds["Attribute"]) + len(kinds["Lambda"])
        code = compile(tree, "<module %d>" % unit, "exec")
        names = {"__name__": "module_%d" % unit}
        exec(code, names)
        loaded.append((tree, names))
        del loaded[:-3]
        checksum += sum(names["run"](value) for value in range(20))
        checksum += names_of(code).count("walk")
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
