/* A block is read long after its free, when live blocks of its size may have its place.
 * Expected: an invalid read of 1 byte, if its place was kept from them. */
#include "bug.h"

int main(void) {
    char *around[MANY];
    char *others[MANY];
    int freed;
    int next;
    with_neighbour(around, 64, &freed);
    free(veil(around[freed]));
    churn(4000);
    with_neighbour(others, 64, &next);
    read_at(around[freed], 24);
    free_all(others, -1);
    free_all(around, freed);
    return 0;
}
