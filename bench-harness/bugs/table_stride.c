/* A row too many: the byte 64 beyond the end of a table of 512 bytes is written.
 * Expected: an invalid write of 1 byte; 64 beyond is inside the neighbour, where tables lie close
 * together. */
#include "bug.h"

int main(void) {
    char *tables[MANY];
    int next;
    int table = with_neighbour(tables, 512, &next);
    write_at(tables[table], 512 + 64);
    free_all(tables, -1);
    return 0;
}
