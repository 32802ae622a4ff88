/* Pools are trees that free whole and count what they hold; arenas are emptied and used again. */
#include "core/memory.h"

#include "../check.h"

static void a_pool_counts_and_frees_its_children(void **state)
{
	(void)state;
	struct pool *parent = pool_new(NULL, "parent");
	struct pool *child = pool_new(parent, "child");
	struct pool *sibling = pool_new(parent, "sibling");
	unsigned char *zeroed = pool_alloc(child, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(zeroed[i], 0);
	assert_string_equal(pool_text(sibling, "yagura"), "yagura");
	assert_int_equal(pool_bytes(parent), 107);
	pool_release(child, zeroed);
	pool_release(child, NULL);
	assert_int_equal(pool_bytes(parent), 7);
	pool_free(child);
	assert_int_equal(pool_bytes(parent), 7);
	assert_null(pool_array(parent, SIZE_MAX / 2, 4));
	assert_null(pool_alloc(parent, SIZE_MAX));
	pool_free(parent);
	pool_free(NULL);
}

static void an_arena_is_used_again(void **state)
{
	(void)state;
	struct arena *arena = arena_new(1024);
	char *first = arena_alloc(arena, 10);
	assert_int_equal((uintptr_t)first % 16, 0);
	char *big = arena_alloc(arena, 5000);
	memset(big, 1, 5000);
	memset(arena_alloc(arena, 1000), 2, 1000);
	size_t bytes = arena_bytes(arena);
	arena_reset(arena);
	assert_ptr_equal(arena_alloc(arena, 10), first);
	memset(arena_alloc(arena, 5000), 3, 5000);
	assert_int_equal(arena_bytes(arena), bytes);
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_memory_equal(arena_copy(arena, "copy", 5), "copy", 5);
	arena_free(arena);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_counts_and_frees_its_children),
		cmocka_unit_test(an_arena_is_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
