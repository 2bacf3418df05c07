/* One byte is written beyond a block, its neighbour free.
 * Expected: an invalid write. */
#include "bug.h"

int main(void) {
    char *blocks[MANY];
    int next;
    int which = with_neighbour(blocks, 64, &next);
    free(veil(blocks[next]));
    write_at(blocks[which], 64);
    free_all(blocks, next);
    return 0;
}
