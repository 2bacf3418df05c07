/* A number that was never written is printed.
 * Expected: a decision on uninitialised memory. */
#include "bug.h"

int main(void) {
    int *block = veil(malloc(64));
    printf("%d\n", block[5]);
    free(veil(block));
    return 0;
}
