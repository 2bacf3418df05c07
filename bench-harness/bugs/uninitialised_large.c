/* A branch is taken on a part of a block of 2 MiB that was never written.
 * Expected: a decision on uninitialised memory. */
#include "bug.h"

int main(void) {
    size_t size = 2 << 20;
    volatile unsigned char *block = veil(malloc(size));
    for (size_t at = 0; at < size / 2; at++) {
        block[at] = 1;
    }
    if (block[size / 4 * 3] > 7) {
        sink = 1;
    }
    free(veil((void *)block));
    return 0;
}
