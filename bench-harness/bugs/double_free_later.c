/* A block is freed twice, other frees between.
 * Expected: an invalid free. */
#include "bug.h"

int main(void) {
    void *block = block_of(64);
    char *others[MANY];
    int next;
    with_neighbour(others, 64, &next);
    free(veil(block));
    free_all(others, -1);
    free(veil(block));
    return 0;
}
