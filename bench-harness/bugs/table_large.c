/* One entry too many of a table of 9,000 bytes is read.
 * Expected: an invalid read. */
#include "bug.h"

int main(void) {
    char *table = block_of(9000);
    char *other = block_of(9000);
    sink = (unsigned char)*(volatile uint64_t *)veil(table + 9000);
    free(veil(table));
    free(veil(other));
    return 0;
}
