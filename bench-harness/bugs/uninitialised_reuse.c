/* A branch is taken on what the former owner of a block left in it.
 * Expected: a decision on uninitialised memory. */
#include "bug.h"

int main(void) {
    void *before = block_of(64);
    free(veil(before));
    volatile unsigned char *block = veil(malloc(64));
    if (block[33] > 7) {
        sink = 1;
    }
    free(veil((void *)block));
    return 0;
}
