/* 4096 bytes are written beyond a block, its neighbour free.
 * Expected: an invalid write. */
#include "bug.h"

int main(void) {
    char *blocks[MANY];
    int next;
    int which = with_neighbour(blocks, 64, &next);
    free(veil(blocks[next]));
    memset((char *)veil(blocks[which]) + 64, 0x5a, 4096);
    free_all(blocks, next);
    return 0;
}
