/* A branch is taken on a byte that was never written.
 * Expected: a decision on uninitialised memory. */
#include "bug.h"

int main(void) {
    volatile unsigned char *block = veil(malloc(64));
    if (block[33] > 7) {
        sink = 1;
    }
    free(veil((void *)block));
    return 0;
}
