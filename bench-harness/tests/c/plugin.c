/* A library that allocates in its constructor and frees in its destructor; see dlopen.c. */
#include "check.h"

unsigned char *plugin_block;

__attribute__((constructor)) static void constructor(void) {
    exercise();
    plugin_block = filled(333);
}

__attribute__((destructor)) static void destructor(void) {
    checked_free(plugin_block, 333);
    exercise();
}
