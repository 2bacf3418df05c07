/* A negative index: a byte 1,000 before a table of 4,096 bytes is read.
 * Expected: an invalid read of 1 byte; 1,000 bytes before is inside the neighbour, where tables lie
 * close together. */
#include "bug.h"

int main(void) {
    char *tables[MANY];
    int next;
    with_neighbour(tables, 4096, &next);
    read_at(tables[next], -1000);
    free_all(tables, -1);
    return 0;
}
