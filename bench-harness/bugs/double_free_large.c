/* A block of 1 MiB is freed twice.
 * Expected: an invalid free. */
#include "bug.h"

int main(void) {
    void *block = block_of(1 << 20);
    free(veil(block));
    free(veil(block));
    return 0;
}
