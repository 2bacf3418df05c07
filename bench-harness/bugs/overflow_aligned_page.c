/* One byte is written beyond a block that begins with an OS page and ends within one.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    char *block = veil(aligned_alloc(4096, 5000));
    write_at(block, 5000);
    free(veil(block));
    return 0;
}
