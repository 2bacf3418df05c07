/*
 * What the seeded bugs share: sinks and veils that keep a compiler from seeing, and so from
 * removing or reporting, what a program does wrong.
 *
 * A program does one thing wrong, prints nothing and ends with 0 when nobody notices. It ends with
 * NOT_HERE when the allocator lacks the function that the bug needs. With BUG_ARENITE the calls go
 * to a linked libarenite.a.
 */
#ifndef BUG_H
#define BUG_H

#define _GNU_SOURCE
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_HERE 77
#define UNUSED __attribute__((unused))
/* A function of its own: a frame in reports, and no pointer left in the caller's registers. */
#define APART __attribute__((noinline, unused))

#ifdef BUG_ARENITE
void *arenite_malloc(size_t size);
void *arenite_calloc(size_t count, size_t size);
void *arenite_realloc(void *block, size_t size);
void arenite_free(void *block);
void arenite_free_sized(void *block, size_t size);
void arenite_purge(void);
void *arenite_aligned_alloc(size_t align, size_t size);
size_t arenite_malloc_usable_size(void *block);
#define malloc arenite_malloc
#define calloc arenite_calloc
#define realloc arenite_realloc
#define free arenite_free
#define free_sized arenite_free_sized
#define aligned_alloc arenite_aligned_alloc
#define malloc_usable_size arenite_malloc_usable_size
#else
extern void free_sized(void *block, size_t size) __attribute__((weak));
extern void arenite_purge(void) __attribute__((weak));
#endif
extern void *arenite_domain_malloc(int domain, size_t size) __attribute__((weak));
extern void arenite_domain_free(int domain, void *block) __attribute__((weak));

static volatile unsigned char sink UNUSED;
static void *volatile kept UNUSED;

/* The same address, of which the compiler knows nothing more. */
static inline UNUSED void *veil(void *address) {
    __asm__ volatile("" : "+r"(address) : : "memory");
    return address;
}

static inline UNUSED void *block_of(size_t size) {
    char *block = veil(malloc(size));
    for (size_t at = 0; at < size; at++) {
        block[at] = (char)at;
    }
    return block;
}

static inline UNUSED void read_at(void *block, ptrdiff_t at) {
    sink = *((volatile unsigned char *)veil(block) + at);
}

static inline UNUSED void write_at(void *block, ptrdiff_t at) {
    *((volatile unsigned char *)veil(block) + at) = 0x5a;
}

/* Over 20 MiB of other blocks come and go, so that a freed block leaves a checker's quarantine. */
static APART void churn(size_t size) {
    for (int round = 0; round < 90; round++) {
        void *large = veil(malloc(256 << 10));
        void *same[4];
        for (int i = 0; i < 4; i++) {
            same[i] = veil(malloc(size));
        }
        free(veil(large));
        for (int i = 0; i < 4; i++) {
            free(veil(same[i]));
        }
    }
}

#define MANY 64
/* Fills `blocks` and gives the index of one whose successor in memory is nearest; its successor goes
 * to `next`. */
static APART int with_neighbour(char **blocks, size_t size, int *next) {
    int best = 0;
    uintptr_t gap = UINTPTR_MAX;
    for (int i = 0; i < MANY; i++) {
        blocks[i] = block_of(size);
    }
    for (int i = 0; i < MANY; i++) {
        for (int j = 0; j < MANY; j++) {
            uintptr_t distance = (uintptr_t)blocks[j] - (uintptr_t)blocks[i];
            if (blocks[j] > blocks[i] && distance < gap) {
                gap = distance;
                best = i;
                *next = j;
            }
        }
    }
    return best;
}

/* Frees all but the one at `gone`, which is -1 or was freed before. */
static APART void free_all(char **blocks, int gone) {
    for (int i = 0; i < MANY; i++) {
        if (i != gone) {
            free(veil(blocks[i]));
        }
    }
}

#endif
