/* A block of the domain for memory is freed in the domain for objects.
 * Expected: a block of another domain. */
#include "bug.h"

int main(void) {
    if (!arenite_domain_malloc || !arenite_domain_free) {
        return NOT_HERE;
    }
    char *block = veil(arenite_domain_malloc('m', 64));
    write_at(block, 0);
    arenite_domain_free('o', veil(block));
    return 0;
}
