/* A block of 100,000 bytes is read after its free, when the next malloc of its size may have it.
 * Expected: an invalid read of 1 byte, if its place was kept from the next block. */
#include "bug.h"

int main(void) {
    void *block = block_of(100000);
    free(veil(block));
    void *next = block_of(100000);
    read_at(block, 24);
    free(veil(next));
    return 0;
}
