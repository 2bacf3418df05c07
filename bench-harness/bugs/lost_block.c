/* The only pointer to a block goes out of scope.
 * Expected: a block definitely lost.
 * Lost: 1 */
#include "bug.h"

static APART void lose(void) {
    sink = *(unsigned char *)block_of(200);
}

int main(void) {
    lose();
    churn(200);
    return 0;
}
