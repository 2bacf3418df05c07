/* The byte before a block is written.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    char *blocks[MANY];
    int next;
    with_neighbour(blocks, 64, &next);
    write_at(blocks[next], -1);
    free_all(blocks, -1);
    return 0;
}
