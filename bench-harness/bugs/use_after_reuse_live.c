/* A block is read long after its free, when others of its size are live.
 * Expected: an invalid read of 1 byte, if its place was kept from them. */
#include "bug.h"

int main(void) {
    void *block = block_of(64);
    char *others[MANY];
    int next;
    free(veil(block));
    churn(64);
    with_neighbour(others, 64, &next);
    read_at(block, 24);
    free_all(others, -1);
    return 0;
}
