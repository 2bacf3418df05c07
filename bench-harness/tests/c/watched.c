/* Misuse of a heap that a tool watches, one kind by argument; "clean" does nothing wrong. */
#include "check.h"
#include <pthread.h>

struct node {
    struct node *next;
    struct node *also;
};

static struct node *node(struct node *next) {
    struct node *made = do_malloc(sizeof *made);
    made->next = next;
    made->also = NULL;
    return made;
}

static __attribute__((noinline)) void lose_chain(void) {
    struct node *volatile chain = node(node(NULL));
    (void)chain;
    chain = NULL;
}

static __attribute__((noinline)) void lose_cycle(void) {
    struct node *volatile cycle = node(NULL);
    cycle->next = node(cycle);
    cycle = NULL;
}

/* Overwrites what registers and the stack still know. */
static __attribute__((noinline)) void forget(void) {
    volatile char space[4096];
    for (size_t at = 0; at < sizeof space; at++) space[at] = 0;
}

static void *churn(void *seed) {
    unsigned state = (unsigned)(uintptr_t)seed;
    unsigned char *blocks[64] = {0};
    size_t sizes[64] = {0};
    for (int turn = 0; turn < 4000; turn++) {
        state = state * 1103515245u + 12345u;
        size_t at = state >> 16 & 63, size = (state >> 8) % (turn % 97 == 0 ? 2000000 : 3000);
        if (blocks[at]) checked_free(blocks[at], sizes[at]);
        blocks[at] = filled(sizes[at] = size);
    }
    for (size_t at = 0; at < 64; at++)
        if (blocks[at]) checked_free(blocks[at], sizes[at]);
    return NULL;
}

static volatile unsigned char sink;

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "clean";
    unsigned char *volatile block = filled(100), *volatile table = filled(20000);
#define IS(name) (strcmp(what, name) == 0)
    if (IS("read-after-free")) {
        do_free(block);
        sink = block[3];
        block = NULL;
    } else if (IS("read-after-reuse")) {
        do_free(block);
        for (int turn = 0; turn < 1000; turn++) do_free(do_malloc(60000));
        for (int turn = 0; turn < 50; turn++) {
            void *volatile lost_to_nobody = do_malloc(100);
            do_free(lost_to_nobody);
        }
        sink = block[3];
        block = NULL;
    } else if (IS("double-free")) {
        do_free(block);
        do_free(block);
        block = NULL;
    } else if (IS("interior-free")) {
        do_free(block + 16);
    } else if (IS("stack-free")) {
        do_free((void *)&what);
    } else if (IS("read-behind")) {
        sink = block[100];
    } else if (IS("write-before")) {
        block[-1] = 1;
    } else if (IS("write-far-behind-table")) {
        table[20000 + 4095] = 1;
    } else if (IS("write-far-behind-block")) {
        unsigned char *small = filled(64);
        small[64 + 4095] = 1;
        do_free(small);
    } else if (IS("undefined-branch")) {
        unsigned char *fresh = do_malloc(48);
        if (fresh[5] == 7) sink = 1;
        do_free(fresh);
    } else if (IS("stale-after-realloc")) {
        unsigned char *moved = do_realloc(block, 60);
        sink = block[0];
        block = NULL;
        do_free(moved);
    } else if (IS("realloc-of-freed")) {
        do_free(block);
        block = do_realloc(block, 200);
    } else if (IS("lost-chain")) {
        lose_chain();
        forget();
    } else if (IS("lost-cycle")) {
        lose_cycle();
        forget();
    } else {
        exercise();
        pthread_t threads[3];
        for (uintptr_t at = 0; at < 3; at++)
            CHECK(pthread_create(&threads[at], NULL, churn, (void *)(at + 1)) == 0);
        for (int at = 0; at < 3; at++) pthread_join(threads[at], NULL);
        void *aligned;
        for (size_t align = 8; align <= 1 << 20; align *= 2) {
            CHECK(posix_memalign(&aligned, align, 100) == 0);
            CHECK((uintptr_t)aligned % align == 0);
            memset(aligned, 1, 100);
            do_free(aligned);
        }
    }
    if (block) do_free(block);
    do_free(table);
    say_ok();
    return 0;
}
