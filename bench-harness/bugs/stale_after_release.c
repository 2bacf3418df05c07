/* A block is read when all blocks were freed and their arena may be gone.
 * Expected: an invalid read of 1 byte, or a fault where the arena was unmapped. */
#include "bug.h"

int main(void) {
    static char *blocks[20000];
    for (int i = 0; i < 20000; i++) {
        blocks[i] = veil(malloc(400));
        blocks[i][0] = 1;
    }
    char *stale = blocks[10000];
    for (int i = 0; i < 20000; i++) {
        free(veil(blocks[i]));
    }
#ifndef BUG_ARENITE
    if (arenite_purge)
#endif
    {
        arenite_purge();
    }
    read_at(stale, 100);
    return 0;
}
