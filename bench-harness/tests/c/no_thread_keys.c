/* Takes every key of thread-specific data before the first allocation, then runs 2,000 threads one
   after another that allocate and free. An allocator that learns of a thread's end by a key must do
   without, and keep nothing for threads that have ended. */
#include "check.h"
#include <fcntl.h>
#include <pthread.h>

enum { THREADS = 2000, MOST_KIB = 8 << 10 };

/* Most memory that the process has had, in KiB: getrusage would count what it was before exec. */
static long peak_kib(void) {
    static char text[8192];
    int file = open("/proc/self/status", O_RDONLY);
    CHECK(file >= 0);
    ssize_t len = read(file, text, sizeof text - 1);
    CHECK(len > 0);
    text[len] = 0;
    CHECK(close(file) == 0);
    char *line = strstr(text, "VmHWM:");
    CHECK(line != NULL);
    return atol(line + sizeof "VmHWM:" - 1);
}

static void *brief(void *argument) {
    checked_free(filled(100), 100);
    checked_free(filled(5000), 5000);
    return argument;
}

int main(void) {
    pthread_key_t key;
    int keys = 0;
    while (pthread_key_create(&key, NULL) == 0) keys++;
    CHECK(keys > 0);
    long before = peak_kib();
    for (int at = 0; at < THREADS; at++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, brief, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    CHECK(peak_kib() - before < MOST_KIB);
    say_ok();
    return 0;
}
