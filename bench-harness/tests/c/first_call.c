/* The first calls come before the library's own start-up: free(NULL), then everything, from the
   program's pre-initialisers, which run before the constructors of any library. */
#include "check.h"

static int calls;

static void before_constructors(void) {
    free(NULL);
    calls++;
    exercise();
    calls++;
}

__attribute__((section(".preinit_array"), used))
static void (*const preinit)(void) = before_constructors;

__attribute__((constructor(101))) static void constructor(void) {
    CHECK(calls == 2);
    exercise();
    calls++;
}

int main(void) {
    CHECK(calls == 3);
    exercise();
    say_ok();
    return 0;
}
