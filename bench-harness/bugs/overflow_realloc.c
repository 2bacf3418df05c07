/* One byte is written beyond a block that realloc has made longer.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    char *block = block_of(10);
    char *longer = veil(realloc(veil(block), 41));
    write_at(longer, 41);
    free(veil(longer));
    return 0;
}
