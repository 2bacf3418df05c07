"""Packets packed, framed, compressed, cut up and put together again.

    python3 binary_packets.py [amount]

A unit of work is a burst of packets over a line that cuts them anywhere: headers are packed with
struct, payloads are bytes, bytearrays and views of them, a receiver finds the frames again, and
arrays of numbers are read from what arrived.
"""

import array
import random
import struct
import sys
import zlib
from hashlib import sha256

HEADER = struct.Struct("!HBBIIH")
MAGIC = 0xA4E2


class Packet(object):
    __slots__ = ("kind", "number", "stamp", "payload")

    def __init__(self, kind, number, stamp, payload):
        self.kind = kind
        self.number = number
        self.stamp = stamp
        self.payload = payload

    def packed(self):
        body = zlib.compress(self.payload, 1) if self.kind & 1 else self.payload
        head = HEADER.pack(MAGIC, self.kind, len(body) & 0xFF, self.number, self.stamp, len(body))
        return head + body + struct.pack("!I", zlib.crc32(head + body))


class Receiver(object):
    def __init__(self):
        self.buffer = bytearray()
        self.broken = 0

    def feed(self, piece):
        self.buffer += piece
        while len(self.buffer) >= HEADER.size:
            magic, kind, low, number, stamp, length = HEADER.unpack_from(self.buffer)
            if magic != MAGIC or low != length & 0xFF:
                del self.buffer[0]
                self.broken += 1
                continue
            end = HEADER.size + length + 4
            if len(self.buffer) < end:
                return
            with memoryview(self.buffer) as view:
                body = bytes(view[HEADER.size:end - 4])
                good = zlib.crc32(view[:end - 4]) == struct.unpack_from("!I", view, end - 4)[0]
            del self.buffer[:end]
            if good:
                yield Packet(kind, number, stamp, zlib.decompress(body) if kind & 1 else body)
            else:
                self.broken += 1


def payload(dice):
    kind = dice.randrange(4)
    size = int(8 / (0.01 + dice.random()))
    if kind == 0:
        return kind, bytes(bytearray(dice.randrange(256) for _ in range(size)))
    if kind == 1:
        return kind, (b"%d;" % dice.randrange(1000)) * size
    if kind == 2:
        return kind, array.array("I", (dice.randrange(1 << 30) for _ in range(size))).tobytes()
    return kind, struct.pack("<%dd" % size, *(n * 0.5 for n in range(size)))


def numbers(packet):
    if packet.kind == 2:
        return sum(array.array("I", packet.payload))
    if packet.kind == 3:
        return int(sum(value for (value,) in struct.iter_unpack("<d", packet.payload)))
    return sum(packet.payload[::3])


def main(amount=14):
    dice = random.Random(67)
    receiver = Receiver()
    window = {}
    total = number = 0
    digest = sha256()
    for _ in range(amount):
        line = bytearray()
        for _ in range(250):
            number += 1
            line += Packet(*(payload(dice)[:1] + (number, 7 * number)), payload=b"").packed()
            kind, body = payload(dice)
            number += 1
            line += Packet(kind, number, 7 * number, body).packed()
            if dice.random() < 0.02:
                line += b"noise" * dice.randrange(5)
        at = 0
        while at < len(line):
            size = dice.randint(1, 1400)
            for packet in receiver.feed(line[at:at + size]):
                window[packet.number] = packet
                total += numbers(packet)
                digest.update(packet.payload)
                window.pop(packet.number - 400, None)
            at += size
    total += sum(len(packet.payload) for packet in window.values())
    print("checksum %d %d %s" % (total, receiver.broken, digest.hexdigest()[:16]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
