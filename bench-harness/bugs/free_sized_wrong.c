/* A block is freed with a size that is not its own.
 * Expected: a free of the wrong size. */
#include "bug.h"

int main(void) {
#ifndef BUG_ARENITE
    if (!free_sized) {
        return NOT_HERE;
    }
#endif
    void *block = block_of(64);
    free_sized(veil(block), 640);
    return 0;
}
