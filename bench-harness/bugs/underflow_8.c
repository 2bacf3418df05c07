/* The 8 bytes before a block are written.
 * Expected: an invalid write. */
#include "bug.h"

int main(void) {
    char *blocks[MANY];
    int next;
    with_neighbour(blocks, 64, &next);
    memset((char *)veil(blocks[next]) - 8, 0x5a, 8);
    free_all(blocks, -1);
    return 0;
}
