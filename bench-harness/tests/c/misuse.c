/* Misuses the heap in the way that argv[1] names, and says "survived" when nothing stops it. */
#include "check.h"
#include <pthread.h>

enum { MANY = 200 };

static unsigned char *many[MANY];

/* Frees the main thread's blocks, the first of them twice. */
static void *free_one_twice(void *unused) {
    for (int at = 0; at < MANY; at++) {
        do_free(many[at]);
        if (at == 10) do_free(many[0]);
    }
    return unused;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    static unsigned char elsewhere[64] __attribute__((aligned(16)));
    unsigned char *first = filled(40);
    unsigned char *second = filled(40);
    unsigned char *large = filled(5 << 20);
    char *is = argv[1];
    fprintf(stderr, "block 0x%lx\n", (unsigned long)(uintptr_t)first);
    if (strcmp(is, "nothing") == 0) {
        do_free(first);
    } else if (strcmp(is, "double-free") == 0) {
        do_free(first);
        do_free(first);
    } else if (strcmp(is, "double-free-apart") == 0) {
        do_free(first);
        do_free(second);
        do_free(first);
    } else if (strcmp(is, "double-free-large") == 0) {
        do_free(large);
        do_free(large);
    } else if (strcmp(is, "double-free-remote") == 0) {
        for (int at = 0; at < MANY; at++) many[at] = filled(64);
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, free_one_twice, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        for (int at = 0; at < 4000; at++) filled(64);
    } else if (strcmp(is, "interior-large") == 0) {
        do_free(filled(100000) + 4096);
    } else if (strcmp(is, "interior") == 0) {
        do_free(first + 16);
    } else if (strcmp(is, "static") == 0) {
        do_free(elsewhere);
    } else if (strcmp(is, "stack") == 0) {
        unsigned char here[64];
        do_free(here + 16);
    } else if (strcmp(is, "wild") == 0) {
        do_free((void *)0x123456789abcd0);
    } else if (strcmp(is, "smashed-link") == 0) {
        do_free(first);
        do_free(second);
        memset(second, 0x41, 16);
        for (int at = 0; at < 64; at++) CHECK(do_malloc(40) != NULL);
    } else if (strcmp(is, "realloc-after-free") == 0) {
        do_free(first);
        CHECK(do_realloc(first, 80) != NULL);
    } else {
        fail("an unknown misuse", __LINE__);
    }
    if (write(1, "survived\n", 9) != 9) return 2;
    return 0;
}
