/* A byte 4,096 beyond the end of a table of 200,000 bytes is read.
 * Expected: an invalid read of 1 byte. */
#include "bug.h"

int main(void) {
    char *table = block_of(200000);
    char *other = block_of(200000);
    char *nearer = table < other ? table : other;
    read_at(nearer, 200000 + 4096);
    free(veil(table));
    free(veil(other));
    return 0;
}
