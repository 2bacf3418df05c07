/* One byte is written beyond an aligned block, where its alignment leaves room.
 * Expected: an invalid write of 1 byte. */
#include "bug.h"

int main(void) {
    char *block = veil(aligned_alloc(64, 100));
    write_at(block, 100);
    free(veil(block));
    return 0;
}
