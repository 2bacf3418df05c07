/* Two blocks that point to each other are lost.
 * Expected: one block definitely and one indirectly lost.
 * Lost: 2 */
#include "bug.h"

static APART void lose(void) {
    void **first = block_of(64);
    void **second = block_of(72);
    first[0] = second;
    second[0] = first;
    veil(first);
}

int main(void) {
    lose();
    churn(200);
    return 0;
}
