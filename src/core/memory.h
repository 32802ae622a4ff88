/* Memory with an owner: a pool for what lives as long as a module instance, an arena for what lives as long as a batch.
 *
 * A pool is a tree, after BIRD's resource pools: freeing one frees its children, and what it holds is a metric for
 * free. An arena only grows, and is emptied at once. Neither is thread-safe: one owner each. Out of memory is -ENOMEM,
 * as NULL.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pool;
struct arena;

struct pool *pool_new(struct pool *parent, const char *name); /* parent may be NULL; name is borrowed */
void pool_free(struct pool *pool);                            /* NULL is fine; frees children and all allocations */
void *pool_alloc(struct pool *pool, size_t bytes);            /* zeroed, aligned for any type */
void *pool_array(struct pool *pool, size_t count, size_t item_bytes); /* zeroed; NULL also when the product overflows */
char *pool_text(struct pool *pool, const char *text);                 /* a copy */
void pool_release(struct pool *pool, void *memory);                   /* one allocation back early; NULL is fine */
size_t pool_bytes(const struct pool *pool);                           /* asked for by users, children included */

struct arena *arena_new(size_t chunk_bytes);
void arena_free(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t bytes); /* not zeroed, aligned to 16 */
void *arena_copy(struct arena *arena, const void *data, size_t bytes);
void arena_reset(struct arena *arena); /* everything handed out is void; chunks are kept for the next round */
size_t arena_bytes(const struct arena *arena);

/* Free at the end of a scope: `cleanup(free_text) char *text = ...`. */
#define cleanup(function) __attribute__((cleanup(function)))
void free_text(char **text);
