/* A block that realloc has moved is written where it was.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    char *block = block_of(64);
    char *fence = block_of(64);
    char *moved = veil(realloc(veil(block), 40000));
    if (moved != block) {
        write_at(block, 40);
    }
    free(veil(moved));
    free(veil(fence));
    return 0;
}
