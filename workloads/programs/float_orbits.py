"""Bodies that attract each other, in floats, tuples and small objects.

    python3 float_orbits.py [amount]

Every step makes new floats for every pair of bodies, and new tuples for every place. A unit of work
is a hundred steps of a small system. The checksum is rounded, so that the last bit of a float does
not count.
"""

import math
import sys


class Body(object):
    __slots__ = ("place", "speed", "mass")

    def __init__(self, place, speed, mass):
        self.place = place
        self.speed = speed
        self.mass = mass


def system(count):
    """A heavy body in the middle, and others on circles around it."""
    bodies = [Body((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1000.0)]
    for n in range(1, count):
        distance = 10.0 + 3.0 * n
        angle = 2.399963 * n
        speed = math.sqrt(1000.0 / distance)
        place = (distance * math.cos(angle), distance * math.sin(angle), 0.1 * n)
        speed = (-speed * math.sin(angle), speed * math.cos(angle), 0.0)
        bodies.append(Body(place, speed, 0.5 + 0.1 * n))
    return bodies


def distance(one, other):
    return math.sqrt(sum((a - b) * (a - b) for a, b in zip(one, other)))


def pull(one, other):
    """Acceleration of `one` towards `other`."""
    x, y, z = (b - a for a, b in zip(one.place, other.place))
    square = x * x + y * y + z * z + 0.01
    factor = other.mass / (square * math.sqrt(square))
    return x * factor, y * factor, z * factor


def step(bodies, span):
    pulls = []
    for one in bodies:
        total = (0.0, 0.0, 0.0)
        for other in bodies:
            if other is not one:
                total = tuple(a + b for a, b in zip(total, pull(one, other)))
        pulls.append(total)
    for body, total in zip(bodies, pulls):
        body.speed = tuple(v + span * a for v, a in zip(body.speed, total))
        body.place = tuple(p + span * v for p, v in zip(body.place, body.speed))


def energy(bodies):
    total = 0.0
    for n, one in enumerate(bodies):
        total += 0.5 * one.mass * sum(v * v for v in one.speed)
        for other in bodies[:n]:
            total -= one.mass * other.mass / distance(one.place, other.place)
    return total


def main(amount=6):
    bodies = system(7)
    track = []
    for _ in range(amount):
        for _ in range(100):
            step(bodies, 0.005)
            track.append([(body.place, body.speed) for body in bodies[1:3]])
    farthest = max(distance(place, (0.0, 0.0, 0.0)) for moment in track for place, _ in moment)
    print("checksum %.3f %.3f %d" % (energy(bodies), farthest, len(track)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
