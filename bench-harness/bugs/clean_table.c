/* Nothing is wrong: blocks that live to the end are known to a large table alone, which is a block.
 * Expected: silence. */
#include "bug.h"

#define COUNT 131072

static char **volatile table;

static APART void fill(void) {
    table = veil(calloc(COUNT, sizeof *table));
    for (int i = 0; i < 10; i++) {
        table[i * 13000] = block_of(64 << i);
    }
}

int main(void) {
    fill();
    churn(64);
    for (int i = 0; i < 10; i++) {
        read_at(table[i * 13000], 63);
    }
    return 0;
}
