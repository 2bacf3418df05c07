/* Forks while one thread goes through all streams and another allocates with a stream in its hands.
   fork takes the C library's lock of the list of streams after the handlers that were registered:
   whoever takes an allocator's locks in a handler must have that lock first. argv[1]: number of
   forks. */
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>

static int stop;

static int stopped(void) {
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* Holds the list of streams and waits for each of them. */
static void *flush(void *argument) {
    while (!stopped()) CHECK(fflush(NULL) == 0);
    return argument;
}

/* Holds a stream and waits for the allocator, with sizes that no thread keeps for itself. */
static void *allocate(void *stream) {
    while (!stopped()) {
        flockfile(stream);
        for (size_t at = 0; at < 50; at++) {
            unsigned char *block = do_malloc(40000 + at * 1000);
            CHECK(block != NULL);
            block[0] = 1;
            do_free(block);
        }
        funlockfile(stream);
    }
    return NULL;
}

int main(int argc, char **argv) {
    int forks = argc > 1 ? atoi(argv[1]) : 300;
    /* It is this process that would hang. */
    alarm(60);
    FILE *stream = fopen("/dev/zero", "r");
    CHECK(stream != NULL && fgetc(stream) == 0);
    pthread_t threads[2];
    CHECK(pthread_create(&threads[0], NULL, flush, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, allocate, stream) == 0);
    for (int at = 0; at < forks; at++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(20);
            for (size_t size = 40000; size < 90000; size += 1000) do_free(do_malloc(size));
            CHECK(fflush(NULL) == 0);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int at = 0; at < 2; at++) CHECK(pthread_join(threads[at], NULL) == 0);
    say_ok();
    return 0;
}
