/* What realloc has cut off a block is written.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    char *block = block_of(400);
    char *shorter = veil(realloc(veil(block), 40));
    write_at(block, 300);
    free(veil(shorter));
    return 0;
}
