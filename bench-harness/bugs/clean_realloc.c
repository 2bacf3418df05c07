/* Nothing is wrong: blocks grow and shrink, zeroed ones are zero.
 * Expected: silence. */
#include "bug.h"

int main(void) {
    char *block = NULL;
    for (int round = 0; round < 6; round++) {
        for (size_t size = 1; size < 150000; size = size * 2 + 3) {
            block = veil(realloc(veil(block), size));
            block[size - 1] = (char)round;
            sink = (unsigned char)block[size - 1];
        }
        block = veil(realloc(veil(block), 10));
        sink = (unsigned char)block[0];
    }
    free(veil(block));
    for (size_t size = 1; size < 9000; size += 97) {
        char *zeroed = veil(calloc(size, 1));
        if (zeroed[0] != 0 || zeroed[size - 1] != 0) {
            return 1;
        }
        free(veil(zeroed));
    }
    return 0;
}
