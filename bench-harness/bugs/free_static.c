/* An address in static memory is freed.
 * Expected: an invalid free. */
#include "bug.h"

static _Alignas(16) char table[64];

int main(void) {
    free(veil(table + 16));
    return 0;
}
