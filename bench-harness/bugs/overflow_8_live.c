/* 8 bytes are written beyond a block, its neighbour live.
 * Expected: an invalid write. */
#include "bug.h"

int main(void) {
    char *blocks[MANY];
    int next;
    int which = with_neighbour(blocks, 64, &next);
    memset((char *)veil(blocks[which]) + 64, 0x5a, 8);
    free_all(blocks, -1);
    return 0;
}
