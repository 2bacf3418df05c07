/* Nothing is wrong: blocks of all sizes come and go.
 * Expected: silence. */
#include "bug.h"

int main(void) {
    char *blocks[MANY] = {0};
    unsigned random = 1;
    for (int step = 0; step < 4000; step++) {
        random = random * 1103515245 + 12345;
        int which = (random >> 8) % MANY;
        size_t size = 1 + (random >> 16) % (step % 50 == 0 ? 60000 : 700);
        free(veil(blocks[which]));
        blocks[which] = block_of(size);
        sink = (unsigned char)blocks[which][size - 1];
    }
    free_all(blocks, -1);
    return 0;
}
