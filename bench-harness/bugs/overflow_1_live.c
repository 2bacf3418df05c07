/* One byte is written beyond a block, its neighbour live.
 * Expected: an invalid write. */
#include "bug.h"

int main(void) {
    char *blocks[MANY];
    int next;
    int which = with_neighbour(blocks, 64, &next);
    write_at(blocks[which], 64);
    free_all(blocks, -1);
    return 0;
}
