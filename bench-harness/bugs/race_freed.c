/* One thread reads a block that another has freed.
 * Expected: an invalid read of 1 byte. */
#include "bug.h"
#include <pthread.h>

static pthread_barrier_t freed;

static void *reader(void *block) {
    pthread_barrier_wait(&freed);
    read_at(block, 24);
    return NULL;
}

int main(void) {
    pthread_t thread;
    void *block = block_of(64);
    pthread_barrier_init(&freed, NULL, 2);
    pthread_create(&thread, NULL, reader, block);
    free(veil(block));
    pthread_barrier_wait(&freed);
    pthread_join(thread, NULL);
    return 0;
}
