/* Bugs of the kinds that the suppressions have entries for, in functions that are named like those
 * of an allocator: a read after free, a branch on memory that was never written, an index from it. */
#include <stdlib.h>

static volatile unsigned sink;

__attribute__((noinline)) static void free_and_read(unsigned *block) {
    free(block);
    sink = block[2];
}

__attribute__((noinline)) static void realloc_and_branch(unsigned char *block) {
    unsigned char *grown = realloc(block, 64);
    if (grown[40] == 7) {
        sink = 1;
    }
    free(grown);
}

__attribute__((noinline)) static void owns_by_index(const unsigned *table, unsigned long *block) {
    sink = table[block[1] % 4096];
    free(block);
}

int main(void) {
    static const unsigned table[4096];
    unsigned long *index = malloc(2 * sizeof *index);
    free_and_read(malloc(16));
    realloc_and_branch(malloc(8));
    owns_by_index(table, index);
    return 0;
}
