/* Forks while other threads allocate, free their own blocks and free each other's. No child hangs on
   a lock that was held at the fork, and every child can allocate, free what it inherited and fork
   again. argv[1]: number of forks. */
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>

enum { BUSY = 4, SLOTS = 64 };

static unsigned char *shared[SLOTS];
static int stop;

static unsigned next_random(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void *busy(void *argument) {
    unsigned state = (unsigned)(uintptr_t)argument;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        unsigned random = next_random(&state);
        size_t size = random % 16 == 0 ? 200000 : random % 2000;
        unsigned char *block = do_malloc(size + 1);
        CHECK(block != NULL);
        block[0] = 1;
        unsigned char *old =
            __atomic_exchange_n(&shared[next_random(&state) % SLOTS], block, __ATOMIC_ACQ_REL);
        do_free(old);
    }
    return NULL;
}

/* What every process does that was forked. One that hangs ends by SIGALRM, which shows in its
   status. */
static void live_on(void) {
    alarm(20);
    for (int at = 0; at < 100; at++) checked_free(filled((size_t)at * 37), (size_t)at * 37);
    for (int at = 0; at < SLOTS; at++) {
        do_free(__atomic_exchange_n(&shared[at], NULL, __ATOMIC_ACQ_REL));
    }
    checked_free(filled(1 << 20), 1 << 20);
}

static void in_child(int forks_again) {
    live_on();
    if (forks_again) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            live_on();
            _exit(0);
        }
        int status;
        CHECK(waitpid(grandchild, &status, 0) == grandchild && status == 0);
    }
    _exit(0);
}

int main(int argc, char **argv) {
    int forks = argc > 1 ? atoi(argv[1]) : 100;
    pthread_t threads[BUSY];
    for (uintptr_t at = 0; at < BUSY; at++) {
        CHECK(pthread_create(&threads[at], NULL, busy, (void *)(at + 1)) == 0);
    }
    for (int at = 0; at < forks; at++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) in_child(at % 10 == 0);
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(status == 0);
        free(filled(100));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int at = 0; at < BUSY; at++) CHECK(pthread_join(threads[at], NULL) == 0);
    say_ok();
    return 0;
}
