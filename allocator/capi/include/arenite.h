/*
 * Arenite: a thread-safe general-purpose allocator.
 *
 * malloc and its family under prefixed names, and three functions more. Link libarenite.a, or
 * libarenite.so, which exports the same functions under C's own names too. All functions may be
 * called from any thread, none from a signal handler.
 *
 * Blocks are aligned to 16 bytes, or as asked. Where nothing else is said, a result of NULL comes
 * with errno ENOMEM.
 */
#ifndef ARENITE_H
#define ARENITE_H

#include <stddef.h>

#if defined(__GNUC__)
#define ARENITE_ALLOCATES(...) __attribute__((malloc, warn_unused_result, alloc_size(__VA_ARGS__)))
#define ARENITE_UNUSED_RESULT __attribute__((warn_unused_result))
#else
#define ARENITE_ALLOCATES(...)
#define ARENITE_UNUSED_RESULT
#endif

#ifdef __cplusplus
extern "C" {
#define ARENITE_NOTHROW noexcept
#else
#define ARENITE_NOTHROW
#endif

/* A block of `size` bytes; 0 bytes get a block of their own. */
void *arenite_malloc(size_t size) ARENITE_NOTHROW ARENITE_ALLOCATES(1);

/* A zeroed block of `count * size` bytes; NULL when the product overflows. */
void *arenite_calloc(size_t count, size_t size) ARENITE_NOTHROW ARENITE_ALLOCATES(1, 2);

/* Frees a block; NULL is ignored. Leaves errno as it is. */
void arenite_free(void *block) ARENITE_NOTHROW;

/*
 * A block of `size` bytes with the contents of `block`, which may move; NULL leaves it as it was.
 * A `size` of 0 frees the block and gives NULL with errno as it was. NULL is served as by malloc.
 */
void *arenite_realloc(void *block, size_t size) ARENITE_NOTHROW ARENITE_UNUSED_RESULT;

/* realloc to `count * size` bytes; NULL when the product overflows, and the block is as it was. */
void *arenite_reallocarray(void *block, size_t count, size_t size) ARENITE_NOTHROW
    ARENITE_UNUSED_RESULT;

/* A block aligned to `alignment`; NULL with EINVAL when that is no power of two. */
void *arenite_aligned_alloc(size_t alignment, size_t size) ARENITE_NOTHROW ARENITE_ALLOCATES(2);

/*
 * Writes such a block to `*place` and gives 0; or gives ENOMEM, or EINVAL when the alignment is no
 * power of two or less than a pointer's size, and leaves `*place` alone.
 */
int arenite_posix_memalign(void **place, size_t alignment, size_t size) ARENITE_NOTHROW
    ARENITE_UNUSED_RESULT;

/* As aligned_alloc, but an alignment that is no power of two is taken for the next one. */
void *arenite_memalign(size_t alignment, size_t size) ARENITE_NOTHROW ARENITE_ALLOCATES(2);

/* A block aligned to an OS page. */
void *arenite_valloc(size_t size) ARENITE_NOTHROW ARENITE_ALLOCATES(1);

/* A block of whole OS pages. */
void *arenite_pvalloc(size_t size) ARENITE_NOTHROW ARENITE_ALLOCATES(1);

/* Bytes of the block that may be used, at least what was asked for; 0 for NULL. */
size_t arenite_malloc_usable_size(void *block) ARENITE_NOTHROW;

/* As free; the size is the one that was asked for. */
void arenite_free_sized(void *block, size_t size) ARENITE_NOTHROW;

/* As free; alignment and size are those that were asked for. */
void arenite_free_aligned_sized(void *block, size_t alignment, size_t size) ARENITE_NOTHROW;

/* Usable size of the block that a request of `size` bytes gets. */
size_t arenite_malloc_good_size(size_t size) ARENITE_NOTHROW;

/* Whether `address`, which may be any at all, lies among blocks of up to 32 KiB or begins a larger
 * block of this allocator: 1 or 0. Reads no memory but the allocator's own. */
int arenite_owns(const void *address) ARENITE_NOTHROW;

/* Gives back to the system what no live block needs, but for what lies in the heaps of other threads
 * that run. */
void arenite_purge(void) ARENITE_NOTHROW;

#ifdef __cplusplus
}
#endif

#undef ARENITE_ALLOCATES
#undef ARENITE_UNUSED_RESULT
#undef ARENITE_NOTHROW

#endif
