/* The only pointer to a block is lost, and with it the block that it points to.
 * Expected: one block definitely and one indirectly lost.
 * Lost: 2 */
#include "bug.h"

static APART void lose(void) {
    void **first = block_of(64);
    first[0] = block_of(72);
    veil(first);
}

int main(void) {
    lose();
    churn(200);
    return 0;
}
