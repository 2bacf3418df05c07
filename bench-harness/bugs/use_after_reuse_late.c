/* A block is read long after its free, when 20 MiB of others have come and gone.
 * Expected: an invalid read of 1 byte; a quarantine of 20 MB has let go of it. */
#include "bug.h"

int main(void) {
    void *block = block_of(64);
    free(veil(block));
    churn(64);
    read_at(block, 24);
    return 0;
}
