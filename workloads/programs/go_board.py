"""The game of Go played at random, with chains, liberties and captures.

    python3 go_board.py [amount]

A unit of work plays one game on a board of nine by nine lines to its end and counts areas. Moves
are tried on copies of the position; a table of the positions seen forbids repetition.
"""

import random
import sys
import zlib

SIZE = 9
POINTS = SIZE * SIZE
EMPTY, BLACK, WHITE = ".", "x", "o"


def neighbours(point):
    row, column = divmod(point, SIZE)
    around = []
    if row > 0:
        around.append(point - SIZE)
    if row < SIZE - 1:
        around.append(point + SIZE)
    if column > 0:
        around.append(point - 1)
    if column < SIZE - 1:
        around.append(point + 1)
    return tuple(around)


AROUND = [neighbours(point) for point in range(POINTS)]


def chain(board, point):
    """Points of the chain at `point`, and its liberties."""
    colour = board[point]
    stones, liberties, front = {point}, set(), [point]
    while front:
        for other in AROUND[front.pop()]:
            if board[other] == EMPTY:
                liberties.add(other)
            elif board[other] == colour and other not in stones:
                stones.add(other)
                front.append(other)
    return stones, liberties


def after(board, point, colour):
    """The board after a move and how many stones it took; None where the move is not allowed."""
    board = list(board)
    board[point] = colour
    taken = 0
    for other in AROUND[point]:
        if board[other] not in (EMPTY, colour):
            stones, liberties = chain(board, other)
            if not liberties:
                taken += len(stones)
                for stone in stones:
                    board[stone] = EMPTY
    if not taken and not chain(board, point)[1]:
        return None
    return "".join(board), taken


def is_eye(board, point, colour):
    return all(board[other] == colour for other in AROUND[point])


def area(board):
    """Stones and enclosed points of black, less those of white."""
    score = board.count(BLACK) - board.count(WHITE)
    left = {point for point in range(POINTS) if board[point] == EMPTY}
    while left:
        start = min(left)
        region, borders, front = {start}, set(), [start]
        while front:
            for other in AROUND[front.pop()]:
                if board[other] != EMPTY:
                    borders.add(board[other])
                elif other not in region:
                    region.add(other)
                    front.append(other)
        left -= region
        if borders == {BLACK}:
            score += len(region)
        elif borders == {WHITE}:
            score -= len(region)
    return score


def play(dice):
    board, seen, history = EMPTY * POINTS, {EMPTY * POINTS: 0}, []
    colour, other, passes = BLACK, WHITE, 0
    while passes < 2 and len(history) < 160:
        free = [point for point in range(POINTS) if board[point] == EMPTY]
        dice.shuffle(free)
        moves = []
        for point in free:
            if is_eye(board, point, colour):
                continue
            found = after(board, point, colour)
            if found is not None and found[0] not in seen:
                moves.append((found[1], len(chain(found[0], point)[1]), point, found[0]))
                if len(moves) == 4:
                    break
        if moves:
            taken, _, point, board = max(moves)
            seen[board] = len(history)
            history.append((colour, divmod(point, SIZE), taken, board))
            passes = 0
        else:
            passes += 1
        colour, other = other, colour
    return board, history


def main(amount=8):
    dice = random.Random(37)
    book = []
    checksum = 0
    for _ in range(amount):
        board, history = play(dice)
        taken = sum(move[2] for move in history)
        text = "%s %d %d %d" % (board, area(board), len(history), taken)
        book.append(history)
        del book[:-20]
        checksum = zlib.crc32(text.encode("ascii"), checksum)
    print("checksum %d" % checksum)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
