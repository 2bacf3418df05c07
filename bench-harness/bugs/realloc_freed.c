/* A freed block is given to realloc.
 * Expected: an invalid free or realloc. */
#include "bug.h"

int main(void) {
    void *block = block_of(64);
    free(veil(block));
    kept = realloc(veil(block), 400);
    return 0;
}
