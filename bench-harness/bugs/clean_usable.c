/* Nothing is wrong: blocks of every kind are written to as far as malloc_usable_size says.
 * Expected: silence. */
#include "bug.h"

static APART void use(char *block) {
    size_t size = malloc_usable_size(veil(block));
    for (size_t at = 0; at < size; at++) {
        write_at(block, (ptrdiff_t)at);
    }
    free(veil(block));
}

int main(void) {
    for (size_t size = 1; size < 3000000; size = size * 3 + 1) {
        use(malloc(size));
        use(calloc(1, size));
        use(realloc(block_of(size), size + 5));
        use(aligned_alloc(256, size));
    }
    return 0;
}
