/* Allocation while a thread ends: from destructors of C++'s thread-local objects, and from those of
   more than 32 pthread keys, for which glibc itself calls calloc, round after round. */
#include "check.h"
#include <pthread.h>

enum { KEYS = 100, THREADS = 50 };

extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle;

static pthread_key_t keys[KEYS];
static unsigned long destroyed;

static void use_the_heap(void) {
    for (size_t size = 8; size < 100000; size *= 3) checked_free(filled(size), size);
}

static void key_destructor(void *value) {
    uintptr_t rounds = *(uintptr_t *)value;
    do_free(value);
    use_the_heap();
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
    /* A value set in a destructor makes for one more round, of four at most. */
    if (rounds < 3) {
        uintptr_t *again = (uintptr_t *)filled(sizeof *again);
        *again = rounds + 1;
        CHECK(pthread_setspecific(keys[0], again) == 0);
    }
}

static void object_destructor(void *object) {
    checked_free(object, 100);
    use_the_heap();
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
}

static void *run(void *leave) {
    CHECK(__cxa_thread_atexit_impl(object_destructor, filled(100), &__dso_handle) == 0);
    for (int at = 0; at < KEYS; at++) {
        uintptr_t *value = (uintptr_t *)filled(sizeof *value);
        *value = at == 0 ? 0 : 3;
        CHECK(pthread_setspecific(keys[at], value) == 0);
    }
    /* A block that outlives its thread. */
    *(unsigned char **)leave = filled(64);
    return NULL;
}

int main(void) {
    static unsigned char *left[THREADS];
    for (int at = 0; at < KEYS; at++) CHECK(pthread_key_create(&keys[at], key_destructor) == 0);
    for (int at = 0; at < THREADS; at++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, run, &left[at]) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    for (int at = 0; at < THREADS; at++) checked_free(left[at], 64);
    CHECK(destroyed == (unsigned long)THREADS * (KEYS + 1 + 3));
    say_ok();
    return 0;
}
