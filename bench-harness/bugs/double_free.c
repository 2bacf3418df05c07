/* A block is freed twice, one free right after the other.
 * Expected: an invalid free. */
#include "bug.h"

int main(void) {
    void *block = block_of(64);
    free(veil(block));
    free(veil(block));
    return 0;
}
