/* One entry too many of a table of 1,856 bytes is read.
 * Expected: an invalid read. */
#include "bug.h"

int main(void) {
    char *table = block_of(1856);
    char *other = block_of(1856);
    sink = (unsigned char)*(volatile uint64_t *)veil(table + 1856);
    free(veil(table));
    free(veil(other));
    return 0;
}
