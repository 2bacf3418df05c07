/* Nothing is wrong: more blocks come and go than a checker keeps back, small ones and large ones.
 * Expected: silence. */
#include "bug.h"

int main(void) {
    for (int step = 0; step < 10000; step++) {
        size_t size = step % 100 == 0 ? 300000 : 500 + step % 9 * 1000;
        char *block = veil(malloc(size));
        block[0] = block[size - 1] = (char)step;
        sink = (unsigned char)block[size - 1];
        free(veil(block));
    }
    return 0;
}
