/* One byte is written beyond a block of 300,000 bytes.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    char *block = block_of(300000);
    write_at(block, 300000);
    free(veil(block));
    return 0;
}
