/* An address inside a block is freed.
 * Expected: an invalid free. */
#include "bug.h"

int main(void) {
    char *block = block_of(96);
    kept = block;
    free(veil(block + 16));
    return 0;
}
