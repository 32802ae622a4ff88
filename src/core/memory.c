/* Pools and arenas over malloc. See memory.h. */
#include "core/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
	struct pool_block *next, *previous;
	size_t bytes;
	alignas(max_align_t) unsigned char data[];
};

struct pool {
	const char *name;
	struct pool *parent, *first_child, *next, *previous;
	size_t bytes;
	struct pool_block blocks; /* list head; last, because its kind ends in a flexible array */
};

struct pool *pool_new(struct pool *parent, const char *name)
{
	struct pool *pool = calloc(1, sizeof *pool);
	if (!pool)
		return NULL;
	pool->name = name;
	pool->blocks.next = pool->blocks.previous = &pool->blocks;
	pool->parent = parent;
	if (parent) {
		pool->next = parent->first_child;
		if (pool->next)
			pool->next->previous = pool;
		parent->first_child = pool;
	}
	return pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	while (pool->first_child)
		pool_free(pool->first_child);
	for (struct pool_block *block = pool->blocks.next, *next; block != &pool->blocks; block = next) {
		next = block->next;
		free(block);
	}
	if (pool->previous)
		pool->previous->next = pool->next;
	else if (pool->parent)
		pool->parent->first_child = pool->next;
	if (pool->next)
		pool->next->previous = pool->previous;
	free(pool);
}

void *pool_alloc(struct pool *pool, size_t bytes)
{
	size_t whole;
	if (__builtin_add_overflow(sizeof(struct pool_block), bytes, &whole))
		return NULL;
	struct pool_block *block = calloc(1, whole);
	if (!block)
		return NULL;
	block->bytes = bytes;
	block->next = pool->blocks.next;
	block->previous = &pool->blocks;
	block->next->previous = block;
	pool->blocks.next = block;
	pool->bytes += bytes;
	return block->data;
}

void *pool_array(struct pool *pool, size_t count, size_t item_bytes)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, item_bytes, &bytes))
		return NULL;
	return pool_alloc(pool, bytes);
}

char *pool_text(struct pool *pool, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = pool_alloc(pool, bytes);
	return copy ? memcpy(copy, text, bytes) : NULL;
}

void pool_release(struct pool *pool, void *memory)
{
	if (!memory)
		return;
	struct pool_block *block = (struct pool_block *)((unsigned char *)memory - offsetof(struct pool_block, data));
	block->next->previous = block->previous;
	block->previous->next = block->next;
	pool->bytes -= block->bytes;
	free(block);
}

size_t pool_bytes(const struct pool *pool)
{
	size_t bytes = pool->bytes;
	for (const struct pool *child = pool->first_child; child; child = child->next)
		bytes += pool_bytes(child);
	return bytes;
}

struct arena_chunk {
	struct arena_chunk *next;
	size_t bytes;
	alignas(16) unsigned char data[];
};

struct arena {
	struct arena_chunk *first, *current;
	size_t used; /* in current */
	size_t chunk_bytes;
};

struct arena *arena_new(size_t chunk_bytes)
{
	struct arena *arena = calloc(1, sizeof *arena);
	if (arena)
		arena->chunk_bytes = chunk_bytes;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct arena_chunk *chunk = arena->first, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + 15) & ~(size_t)15;
	if (arena->current && arena->current->bytes - arena->used >= bytes) {
		void *memory = arena->current->data + arena->used;
		arena->used += bytes;
		return memory;
	}
	/* Walk the chunks kept by a reset before asking for a new one. */
	struct arena_chunk **link = arena->current ? &arena->current->next : &arena->first;
	struct arena_chunk *chunk = *link;
	if (!chunk || chunk->bytes < bytes) {
		size_t size = bytes > arena->chunk_bytes ? bytes : arena->chunk_bytes;
		chunk = malloc(sizeof *chunk + size);
		if (!chunk)
			return NULL;
		chunk->bytes = size;
		chunk->next = *link;
		*link = chunk;
	}
	arena->current = chunk;
	arena->used = bytes;
	return chunk->data;
}

void *arena_copy(struct arena *arena, const void *data, size_t bytes)
{
	void *copy = arena_alloc(arena, bytes);
	return copy && bytes ? memcpy(copy, data, bytes) : copy;
}

void arena_reset(struct arena *arena)
{
	arena->current = NULL;
	arena->used = 0;
}

size_t arena_bytes(const struct arena *arena)
{
	size_t bytes = 0;
	for (const struct arena_chunk *chunk = arena->first; chunk; chunk = chunk->next)
		bytes += chunk->bytes;
	return bytes;
}

void free_text(char **text)
{
	free(*text);
	*text = NULL;
}
