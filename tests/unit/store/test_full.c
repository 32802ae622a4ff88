/* A full disk stops intake with a reason, corrupts nothing, and intake goes on by itself when there is room.
 *
 * Two ways to run out: a small tmpfs of our own in a mount namespace of our own (needs root), and RLIMIT_FSIZE, past
 * which every write fails. Each runs in a child of its own. */
#include "store/state.h"

#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { SKIPPED = 77, ROWS = 20000 };

static const char *state_of(struct store *store, char room[32])
{
	json_t *status = NULL;
	must(store_status(store, &status, &must_err));
	snprintf(room, 32, "%s", json_string_value(json_object_get(status, "state")));
	json_decref(status);
	return room;
}

/* Values that do not compress. */
static int put_noise(struct store *store, uint64_t sequence, struct err *err)
{
	struct batch *batch = made_tuples(T0 + (int64_t)sequence * NS_PER_MINUTE, ROWS, 7, sequence);
	for (uint32_t i = 0; i < batch->rows; i++) {
		uint64_t noise = (sequence * ROWS + i) * UINT64_C(0x9e3779b97f4a7c15);
		BATCH_COLUMN(batch, uint64_t, 16)[i] = noise ^ noise >> 29;
		BATCH_COLUMN(batch, uint64_t, 12)[i] = noise >> 7 ^ noise << 11;
	}
	int code = store_put(store, batch, err);
	batch_free(batch);
	return code;
}

/* Put and flush until the store stops. How many batches were flushed with 0. */
static uint64_t fill(struct store *store, uint64_t first, uint64_t most)
{
	struct err err = {""};
	char room[32];
	for (uint64_t i = first; i < first + most; i++) {
		int code = put_noise(store, i, &err);
		if (code == 0)
			code = store_flush(store, &err);
		if (code == 0)
			continue;
		assert_int_equal(code, -ENOSPC);
		assert_string_equal(state_of(store, room), "stopped");
		assert_int_equal(put_noise(store, i + 1, &err), -ENOSPC);
		assert_contains(err.text, "stopped");
		return i - 1;
	}
	fail_msg("the store never stopped");
	return 0;
}

/* Room came back: the next puts are taken after at most some seconds; what waited is stored. */
static void goes_on(struct store *store, uint64_t flushed)
{
	struct err err = {""};
	char room[32];
	int code = -1;
	for (int try = 0; try < 50 && code != 0; try++) {
		usleep(100 * 1000);
		code = put_noise(store, flushed + 2, &err);
	}
	if (code != 0)
		fail_msg("intake did not go on: %s", err.text);
	must(store_flush(store, &must_err));
	assert_string_equal(state_of(store, room), "ok");
	assert_int_equal(ask_number(store, COUNT_TUPLES), (int64_t)(flushed + 2) * ROWS);
	assert_int_equal(store_acknowledged(store, 7), flushed + 2);
}

static void reopens_whole(const struct store_options *options, uint64_t batches)
{
	struct store *store = NULL;
	open_store(options, &store);
	assert_int_equal(ask_number(store, COUNT_TUPLES), (int64_t)batches * ROWS);
	assert_int_equal(store_acknowledged(store, 7), batches);
	store_close(store);
}

static int on_a_small_disk(const char *dir, int64_t floor_bytes)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=48m") < 0) {
		print_message("skipped: no tmpfs can be mounted here (%s)\n", strerror(errno));
		return SKIPPED;
	}
	char data[128], ballast[128];
	snprintf(data, sizeof data, "%s/data", dir);
	snprintf(ballast, sizeof ballast, "%s/ballast", dir);
	int fd = open(ballast, O_RDWR | O_CREAT, 0600);
	assert_int_equal(posix_fallocate(fd, 0, 24 << 20), 0);
	close(fd);
	struct store_options options = options_for(data);
	options.free_floor_bytes = floor_bytes;
	struct store *store = NULL;
	open_store(&options, &store);
	uint64_t flushed = fill(store, 1, 200);
	assert_true(flushed > 1);
	assert_int_equal(ask_number(store, COUNT_TUPLES), (int64_t)flushed * ROWS); /* it answers all the same */
	assert_int_equal(unlink(ballast), 0);
	goes_on(store, flushed);
	store_close(store);
	reopens_whole(&options, flushed + 2);
	return 0;
}

static int under_a_file_limit(const char *dir, int64_t limit)
{
	signal(SIGXFSZ, SIG_IGN);
	struct store_options options = options_for(dir);
	options.raw_bytes = 0;
	struct store *store = NULL;
	open_store(&options, &store);
	struct rlimit small = {(rlim_t)limit, RLIM_INFINITY}, large = {RLIM_INFINITY, RLIM_INFINITY};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	uint64_t flushed = fill(store, 1, 200);
	assert_true(flushed > 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &large), 0);
	goes_on(store, flushed);
	store_close(store);
	reopens_whole(&options, flushed + 2);
	return 0;
}

static void in_a_child(int (*run)(const char *dir, int64_t number), int64_t number)
{
	char room[64], *dir = make_dir(room);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(run(dir, number));
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	remove_tree(dir);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_floor_stops_intake(void **state)
{
	(void)state;
	in_a_child(on_a_small_disk, 4 << 20);
}

static void a_disk_that_is_really_full_stops_intake(void **state)
{
	(void)state;
	in_a_child(on_a_small_disk, -(INT64_C(1) << 40)); /* no floor, no estimate: the write itself fails */
}

static void writes_that_fail_stop_intake(void **state)
{
	(void)state;
	in_a_child(under_a_file_limit, 3 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_floor_stops_intake),
		cmocka_unit_test(a_disk_that_is_really_full_stops_intake),
		cmocka_unit_test(writes_that_fail_stop_intake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
