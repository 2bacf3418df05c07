/* A byte of a freed block is written.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    void *block = block_of(64);
    free(veil(block));
    write_at(block, 40);
    return 0;
}
