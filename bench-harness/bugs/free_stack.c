/* An address on the stack is freed.
 * Expected: an invalid free. */
#include "bug.h"

int main(void) {
    char local[64] = {0};
    free(veil(local + 16));
    sink = (unsigned char)local[16];
    return 0;
}
