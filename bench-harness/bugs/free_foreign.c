/* A mapping that no allocator made is freed.
 * Expected: an invalid free. */
#include "bug.h"
#include <sys/mman.h>

int main(void) {
    char *mapping = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(veil(mapping + 4096));
    munmap(mapping, 65536);
    return 0;
}
