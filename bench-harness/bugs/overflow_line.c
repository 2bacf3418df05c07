/* A whole line of 64 bytes too many is copied into a block.
 * Expected: an invalid write. */
#include "bug.h"

int main(void) {
    char line[256] = {0};
    char *blocks[MANY];
    int next;
    int which = with_neighbour(blocks, 192, &next);
    memcpy(veil(blocks[which]), veil(line), 256);
    free_all(blocks, -1);
    return 0;
}
