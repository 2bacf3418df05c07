/* A block of 100,000 bytes is freed twice, the next block of its size between.
 * Expected: an invalid free, if its place was kept from the next block. */
#include "bug.h"

int main(void) {
    void *block = block_of(100000);
    free(veil(block));
    kept = block_of(100000);
    free(veil(block));
    return 0;
}
