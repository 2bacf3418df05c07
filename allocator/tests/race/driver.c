/* Threads that hand each other blocks of the flagship heap, for the race detector.
 *
 * Lane n allocates, fills and hands every block on to lane n + 1, which looks at it and frees it,
 * resizes it, or hands it on. Each lane is a row of threads that end with blocks of theirs alive, so
 * that heaps are parked, looked after and adopted. Handing over orders what the giver did before
 * what the taker does, and nothing the other way: whatever else must be ordered, the heap orders. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What rustc's instrumentation calls and gcc's libtsan has under the names of the C library, whose
 * calls it watches; and what the core library names but never calls. */
void *__tsan_memcpy(void *to, const void *from, size_t size) { return memcpy(to, from, size); }
void *__tsan_memmove(void *to, const void *from, size_t size) { return memmove(to, from, size); }
void *__tsan_memset(void *to, int byte, size_t size) { return memset(to, byte, size); }
void rust_eh_personality(void) { abort(); }

void *heap_malloc(size_t size);
void *heap_calloc(size_t size);
void *heap_realloc(void *block, size_t size);
void heap_free(void *block);
void heap_purge(void);
int heap_check(void);

enum { LANES = 4, LIVES = 12, CALLS = 6000, SLOTS = 64, KEPT = 100 };

struct block {
    size_t size;
    unsigned char contents[];
};

/* Blocks on their way to a lane. */
static _Atomic(struct block *) inbox[LANES][SLOTS];

static uint64_t next(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u;
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fail(const char *what)
{
    fprintf(stderr, "driver: %s\n", what);
    _Exit(1);
}

static void look(const struct block *block)
{
    size_t last = block->size - sizeof *block - 1;
    if (block->contents[0] != (unsigned char)block->size || block->contents[last] != 7)
        fail("contents");
}

static struct block *fill(struct block *block, size_t size)
{
    if (block == NULL)
        fail("memory");
    block->size = size;
    block->contents[0] = (unsigned char)size;
    block->contents[size - sizeof *block - 1] = 7;
    return block;
}

static size_t random_size(uint64_t *seed)
{
    uint64_t random = next(seed);
    size_t least = sizeof(struct block) + 2;
    switch (random % 64) {
    case 0: return least + (2 << 20) + random % 5000;
    case 1: return least + (40 << 10) + random % 100000;
    case 2: case 3: case 4: return least + 1024 + random % 20000;
    default: return least + (random >> 8) % 300;
    }
}

struct life {
    int lane;
    uint64_t seed;
};

static void *live(void *argument)
{
    struct life life = *(struct life *)argument;
    struct block *kept[KEPT] = {0};
    for (int call = 0; call < CALLS; call++) {
        uint64_t random = next(&life.seed);
        int place = (int)(random % SLOTS);
        struct block *taken =
            atomic_exchange_explicit(&inbox[life.lane][place], NULL, memory_order_acquire);
        if (taken != NULL) {
            look(taken);
            if (random >> 8 & 1) {
                size_t size = random_size(&life.seed);
                taken = fill(heap_realloc(taken, size), size);
            }
            heap_free(taken);
        }
        size_t size = random_size(&life.seed);
        int at = (int)(random >> 16) % KEPT;
        at = at < 0 ? -at : at;
        if (kept[at] != NULL) {
            look(kept[at]);
            heap_free(kept[at]);
        }
        kept[at] = fill(random >> 9 & 1 ? heap_calloc(size) : heap_malloc(size), size);
        struct block *given = fill(heap_malloc(size), size);
        struct block *none = NULL;
        int to = (life.lane + 1) % LANES;
        if (!atomic_compare_exchange_strong_explicit(&inbox[to][place], &none, given,
                                                     memory_order_release, memory_order_relaxed))
            heap_free(given);
        if (random >> 32 == 0 || (random >> 20) % 2048 == 0)
            heap_purge();
    }
    /* What is left goes to the next lane, or dies here. */
    for (int at = 0; at < KEPT; at++) {
        struct block *none = NULL;
        int to = (life.lane + 1) % LANES;
        if (kept[at] != NULL &&
            !atomic_compare_exchange_strong_explicit(&inbox[to][at % SLOTS], &none, kept[at],
                                                     memory_order_release, memory_order_relaxed))
            heap_free(kept[at]);
    }
    return NULL;
}

static void *lane(void *argument)
{
    for (int number = 0; number < LIVES; number++) {
        struct life life = {(int)(intptr_t)argument, (uint64_t)(intptr_t)argument * 1000 + number};
        pthread_t thread;
        if (pthread_create(&thread, NULL, live, &life) != 0)
            fail("pthread_create");
        pthread_join(thread, NULL);
    }
    return NULL;
}

int main(void)
{
    pthread_t lanes[LANES];
    for (intptr_t number = 0; number < LANES; number++)
        if (pthread_create(&lanes[number], NULL, lane, (void *)number) != 0)
            fail("pthread_create");
    for (int number = 0; number < LANES; number++)
        pthread_join(lanes[number], NULL);
    for (int number = 0; number < LANES; number++)
        for (int place = 0; place < SLOTS; place++)
            heap_free(atomic_load_explicit(&inbox[number][place], memory_order_acquire));
    heap_purge();
    if (heap_check() != 0)
        fail("the heap is not empty, or broken");
    puts("driver: done");
    return 0;
}
