/* A byte of a freed block of 1 MiB is read.
 * Expected: an invalid read of 1 byte, or a fault where the block was unmapped. */
#include "bug.h"

int main(void) {
    void *block = block_of(1 << 20);
    free(veil(block));
    read_at(block, 500000);
    return 0;
}
