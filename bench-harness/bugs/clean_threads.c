/* Nothing is wrong: threads allocate, and free what others allocated once they have ended.
 * Expected: silence. */
#include "bug.h"
#include <pthread.h>

static void *allocator(void *blocks) {
    for (int i = 0; i < MANY; i++) {
        ((char **)blocks)[i] = block_of(16 + (size_t)i * 20);
    }
    return NULL;
}

int main(void) {
    static char *blocks[3][MANY];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, allocator, blocks[i]);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 3; i++) {
        free_all(blocks[i], -1);
    }
    return 0;
}
