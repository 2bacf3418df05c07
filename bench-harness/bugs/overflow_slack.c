/* Byte 50 of a block of 50 is written, in the slack of its size class.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    void *block = block_of(50);
    write_at(block, 50);
    free(veil(block));
    return 0;
}
