/* The neighbour of a zeroed block is written through it.
 * Expected: an invalid write. */
#include "bug.h"

int main(void) {
    char *blocks[MANY];
    int next;
    int which = with_neighbour(blocks, 48, &next);
    free(veil(blocks[which]));
    blocks[which] = veil(calloc(6, 8));
    memset(veil(blocks[which]), 0x5a, 64);
    free_all(blocks, -1);
    return 0;
}
