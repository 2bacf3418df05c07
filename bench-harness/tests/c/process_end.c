/* Allocation while the process ends: after main, from atexit, from destructors, and a free there of
   what main allocated. */
#include "check.h"

static unsigned char *of_main;
static unsigned char *of_atexit;

static void at_exit(void) {
    exercise();
    checked_free(of_main, 5000);
    of_atexit = filled(70);
}

__attribute__((destructor(101))) static void destructor(void) {
    exercise();
    checked_free(of_atexit, 70);
    say_ok();
}

int main(void) {
    CHECK(atexit(at_exit) == 0);
    of_main = filled(5000);
    return 0;
}
