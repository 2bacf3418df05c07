/* Every function, blocks enough for tables to grow, and blocks of another thread, on a thread with the smallest
 * stack that there may be. */
#include "check.h"
#include <limits.h>
#include <pthread.h>

enum { LARGE = 400, SMALL = 20000 };

static void *large[LARGE];
static unsigned char *of_another[SMALL];

static void *run(void *unused) {
    (void)unused;
    exercise();
    for (int at = 0; at < LARGE; at++) CHECK((large[at] = do_malloc(1300000)) != NULL);
    for (int at = 0; at < LARGE; at++) do_free(large[at]);
    for (int at = 0; at < SMALL; at++) checked_free(of_another[at], 40);
    for (size_t align = 32; align <= 1 << 21; align *= 2) {
        void *block = aligned_alloc(align, 2 * align);
        CHECK(block != NULL);
        do_free(block);
    }
    return NULL;
}

int main(void) {
    for (int at = 0; at < SMALL; at++) of_another[at] = filled(40);
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, run, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    say_ok();
    return 0;
}
