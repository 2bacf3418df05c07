/* The only pointer to a block of 200,000 bytes goes out of scope.
 * Expected: a block definitely lost.
 * Lost: 1 */
#include "bug.h"

static APART void lose(void) {
    sink = *(unsigned char *)block_of(200000);
}

int main(void) {
    lose();
    churn(200);
    return 0;
}
