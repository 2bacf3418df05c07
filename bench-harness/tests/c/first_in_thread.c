/* Each function with each size as the first call of a fresh thread; the main thread frees. */
#include "check.h"
#include <pthread.h>

enum { SIZES = 64 };

static unsigned char *given[SIZES];

static size_t size_of(int at) {
    return at < 48 ? (size_t)at * 16 + (size_t)at % 3 + 1 : (size_t)1 << (at - 38);
}

static void *first_malloc(void *at) {
    given[(intptr_t)at] = filled(size_of((int)(intptr_t)at));
    return NULL;
}

static void *first_calloc(void *at) {
    size_t size = size_of((int)(intptr_t)at);
    given[(intptr_t)at] = do_calloc(1, size);
    CHECK(given[(intptr_t)at] != NULL);
    memset(given[(intptr_t)at], (int)(size % 251) + 1, size);
    return NULL;
}

static void *first_realloc(void *at) {
    size_t size = size_of((int)(intptr_t)at);
    given[(intptr_t)at] = do_realloc(given[(intptr_t)at], size);
    CHECK(given[(intptr_t)at] != NULL);
    memset(given[(intptr_t)at], (int)(size % 251) + 1, size);
    return NULL;
}

static void *first_free(void *at) {
    checked_free(given[(intptr_t)at], size_of((int)(intptr_t)at));
    given[(intptr_t)at] = NULL;
    return NULL;
}

static void in_thread(void *(*run)(void *), int at) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, (void *)(intptr_t)at) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void) {
    for (int at = 0; at < SIZES; at++) {
        in_thread(first_malloc, at);
        in_thread(first_free, at);
        in_thread(first_calloc, at);
        checked_free(given[at], size_of(at));
        given[at] = NULL;
        in_thread(first_realloc, at);
        in_thread(first_realloc, at);
        in_thread(first_free, at);
    }
    say_ok();
    return 0;
}
