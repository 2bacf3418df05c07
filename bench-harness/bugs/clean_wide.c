/* Nothing is wrong: hundreds of megabytes live at once, and some of all ages grow.
 * Expected: silence. */
#include "bug.h"

#define COUNT 2300

int main(void) {
    static char *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = veil(malloc(200000));
        blocks[i][0] = (char)i;
    }
    for (int i = 0; i < COUNT; i += 20) {
        char *longer = veil(realloc(veil(blocks[i]), 200100));
        if (longer == NULL || longer[0] != (char)i) {
            return 1;
        }
        blocks[i] = longer;
    }
    for (int i = 0; i < COUNT; i++) {
        free(veil(blocks[i]));
    }
    return 0;
}
