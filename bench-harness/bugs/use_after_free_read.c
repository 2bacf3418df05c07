/* A byte of a freed block is read.
 * Expected: an invalid read of 1 byte. */
#include "bug.h"

int main(void) {
    void *block = block_of(64);
    free(veil(block));
    read_at(block, 24);
    return 0;
}
