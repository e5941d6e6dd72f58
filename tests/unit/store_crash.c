/* store_crash.c - full maps and disks, failing disks, processes killed in the middle of a commit
 *
 * LMDB's calls to the system are caught here, since the program's own symbols come before those of the C
 * library.
 */
#include "store_support.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"

/* What the disk does next. */
static struct {
	int write_error; /* of writes of pages; -1: cut short */
	int meta_error;	 /* of writes of meta pages: they are small */
	int sync_error;
} disk;

static bool is_meta(size_t size)
{
	return size < 512;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	int error = is_meta(size) ? disk.meta_error : disk.write_error;
	if (error > 0) {
		errno = error;
		return -1;
	}
	if (error < 0)
		size /= 2;
	return syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	if (disk.write_error > 0) {
		errno = disk.write_error;
		return -1;
	}
	return syscall(SYS_writev, fd, pieces, disk.write_error < 0 ? count / 2 : count);
}

int fdatasync(int fd)
{
	if (disk.sync_error) {
		errno = disk.sync_error;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static void mend_disk(void)
{
	memset(&disk, 0, sizeof disk);
}

static int end_test(void **state)
{
	AV_UNUSED(state);
	mend_disk();
	return 0;
}

/* Some events, spread over enough pages for several writes. */
static struct av_txn *fill(struct av_store *store, int events)
{
	static const char event[700] = "an event";
	uint64_t sequence;
	struct av_txn *txn = must_write(store);
	for (int i = 0; i < events; i++)
		av_journal_append(txn, av_bytes(event, sizeof event), &sequence);
	return txn;
}

static void assert_length(struct av_store *store, uint64_t want)
{
	struct av_position head;
	uint64_t fault = 0;
	struct av_txn *txn = must_read(store);
	assert_status(av_journal_head(txn, &head), AV_OK);
	assert_int_equal(head.sequence, want);
	assert_status(av_journal_check(txn, &fault), AV_OK);
	av_txn_abort(&txn);
}

static void a_full_map_is_told_changes_nothing_and_recovers(void **state)
{
	static char large[50000];
	struct av_store_options options = test_options(in_folder(state, "map"));
	options.map_bytes = 2 << 20;
	struct av_store *store = must_open(&options);
	unsigned int percent = 0;
	size_t puts = 0;
	int status = AV_OK;
	while (status == AV_OK) {
		struct av_txn *txn = must_write(store);
		percent = av_store_used_percent(txn);
		av_put(txn, TABLE_PLAIN, av_bytes(&puts, sizeof puts), av_bytes(large, sizeof large));
		status = av_txn_commit(&txn);
		puts += status == AV_OK;
		assert_true(puts < 100);
	}
	assert_status(status, AV_FULL);
	assert_true(percent >= 90);
	for (int i = 0; i < 3; i++) { /* still full, still standing */
		struct av_txn *txn = must_write(store);
		for (int j = 0; j < 3; j++) {
			size_t key = 1000 + (size_t)j;
			av_put(txn, TABLE_PLAIN, av_bytes(&key, sizeof key), av_bytes(large, sizeof large));
		}
		assert_status(av_txn_error(txn), AV_FULL);
		assert_status(av_txn_commit(&txn), AV_FULL);
	}
	assert_int_equal(append(store, "a deadline still fits"), 1);
	struct av_txn *txn = must_write(store);
	assert_int_equal(av_table_count(txn, TABLE_PLAIN), puts);
	av_txn_abort(&txn);
	for (size_t key = 0; key < puts; key += 2) { /* erasing needs some room itself: little by little */
		txn = must_write(store);
		av_delete(txn, TABLE_PLAIN, av_bytes(&key, sizeof key));
		must_commit(&txn);
	}
	txn = must_read(store);
	percent = av_store_used_percent(txn);
	assert_true(percent < 70); /* freed pages count as free */
	av_txn_abort(&txn);
	txn = must_write(store);
	assert_int_equal(av_store_used_percent(txn), percent); /* a turn must see it too */
	av_txn_abort(&txn);
	struct av_store_health health;
	assert_status(av_store_health(store, &health), AV_OK);
	assert_true(health.free_pages > 0 && health.used_bytes * 100 / health.map_bytes == percent);
	av_put(txn = must_write(store), TABLE_PLAIN, av_bytes("later", 5), av_bytes(large, sizeof large));
	must_commit(&txn);
	av_store_close(&store);
}

static void the_oldest_reader_is_shown(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "lag"));
	struct av_store *store = must_open(&options);
	struct av_store_health health;
	struct av_txn *reader = must_read(store);
	for (int i = 0; i < 5; i++)
		append(store, "event");
	assert_status(av_store_health(store, &health), AV_OK);
	assert_int_equal(health.readers, 1);
	assert_int_equal(health.oldest_reader_lag, 5);
	av_txn_abort(&reader);
	assert_status(av_store_health(store, &health), AV_OK);
	assert_int_equal(health.readers, 0);
	assert_int_equal(health.oldest_reader_lag, 0);
	av_store_close(&store);
}

static void a_full_disk_is_told_changes_nothing_and_recovers(void **state)
{
	/* clang-format off */
	static const struct { int write_error, sync_error, want; } cases[] = {
		{ENOSPC, 0,      AV_FULL},
		{EDQUOT, 0,      AV_FULL},
		{-1,     0,      AV_FULL}, /* LMDB itself calls this an I/O error */
		{0,      ENOSPC, AV_FULL},
		{EIO,    0,      AV_IO},
		{0,      EIO,    AV_IO},
	}; /* clang-format on */
	struct av_store_options options = test_options(in_folder(state, "disk"));
	struct av_store *store = must_open(&options);
	uint64_t length = 0;
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		struct av_txn *txn = fill(store, 200);
		disk.write_error = cases[i].write_error;
		disk.sync_error = cases[i].sync_error;
		int status = av_txn_commit(&txn);
		mend_disk();
		if (status != cases[i].want)
			fail_msg("case %zu: got %s, want %s", i, av_status_name(status),
				av_status_name(cases[i].want));
		assert_length(store, length);
		txn = fill(store, 10);
		must_commit(&txn);
		assert_length(store, length += 10);
	}
	av_store_close(&store);
	assert_int_equal(access(in_folder(state, "disk/probe"), F_OK), -1);
	store = must_open(&options);
	assert_length(store, length);
	av_store_close(&store);
}

static void a_failed_meta_page_ends_the_work(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "meta"));
	struct av_store *store = must_open(&options);
	append(store, "one");
	struct av_txn *txn = fill(store, 1), *next = NULL;
	disk.meta_error = ENOSPC; /* nobody knows what is on disk */
	assert_status(av_txn_commit(&txn), AV_IO);
	mend_disk();
	assert_status(av_txn_begin_write(store, &next), AV_IO);
	av_store_close(&store);
	store = must_open(&options);
	assert_length(store, 1);
	av_store_close(&store);
}

/* Commits turn after turn and tells of each after its commit, until it is killed. */
static void commit_until_killed(const struct av_store_options *options, int tell)
{
	struct av_store *store = must_open(options);
	for (;;) {
		struct av_txn *txn = must_write(store);
		struct av_position head;
		uint64_t sequence = 0;
		char event[300] = "event";
		for (int i = 0; i < 7; i++)
			av_journal_append(txn, av_bytes(event, sizeof event), &sequence);
		av_put(txn, TABLE_FACTS, av_bytes_of("last"), av_bytes(&sequence, sizeof sequence));
		av_counter_set(txn, "last", sequence);
		av_journal_head(txn, &head);
		if (av_txn_commit(&txn) != AV_OK ||
			write(tell, &sequence, sizeof sequence) != sizeof sequence)
			_exit(1);
	}
}

static void what_was_committed_survives_a_kill_and_nothing_else_does(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "kill"));
	struct av_random random = av_random_seeded(5);
	uint64_t told = 0;
	for (int round = 0; round < 25; round++) {
		int pipes[2];
		assert_int_equal(pipe(pipes), 0);
		pid_t child = fork();
		if (child == 0) {
			close(pipes[0]);
			commit_until_killed(&options, pipes[1]);
		}
		close(pipes[1]);
		size_t commits = 1 + av_random_below(&random, 20);
		for (size_t i = 0; i < commits; i++)
			assert_int_equal(read(pipes[0], &told, sizeof told), sizeof told);
		usleep((useconds_t)av_random_below(&random, 3000));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		for (uint64_t more; read(pipes[0], &more, sizeof more) == sizeof more;)
			told = more;
		close(pipes[0]);

		struct av_store *store = must_open(&options);
		struct av_position head;
		struct av_bytes last;
		uint64_t fault;
		struct av_txn *txn = must_read(store);
		assert_status(av_journal_head(txn, &head), AV_OK);
		assert_true(head.sequence == told ||
			    head.sequence == told + 7); /* one may not have been told any more */
		assert_int_equal(head.sequence % 7, 0);
		assert_int_equal(av_table_count(txn, AV_TABLE_JOURNAL), head.sequence);
		assert_status(av_journal_check(txn, &fault), AV_OK);
		assert_status(av_get(txn, TABLE_FACTS, av_bytes_of("last"), &last), AV_OK);
		assert_memory_equal(last.data, &head.sequence, sizeof head.sequence);
		assert_int_equal(av_counter(txn, "last"), head.sequence);
		av_txn_abort(&txn);
		av_store_close(&store);
	}
}

/* Also while it is being made: the next opening starts over or goes on. */
static void a_kill_during_the_making_leaves_no_ruin(void **state)
{
	struct av_random random = av_random_seeded(6);
	for (int round = 0; round < 40; round++) {
		char name[32];
		snprintf(name, sizeof name, "making-%d", round);
		struct av_store_options options = test_options(in_folder(state, name));
		pid_t child = fork();
		if (child == 0) {
			must_open(&options);
			pause();
		}
		usleep((useconds_t)av_random_below(&random, 2500));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		struct av_store *store = must_open(&options);
		assert_int_equal(append(store, "first"), 1);
		av_store_close(&store);
		remove_tree(options.path);
	}
}

static void an_unfinished_making_starts_over(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "unfinished"));
	static const char zeros[20000]; /* also with its first page lost, and one behind it there */
	for (size_t size = 0; size <= sizeof zeros; size += 5000) {
		struct av_store *store = must_open(&options);
		av_store_close(&store);
		write_whole(in_folder(state, "unfinished/lock"), "", 0);
		write_whole(in_folder(state, "unfinished/data.mdb"), zeros, size);
		store = must_open(&options);
		assert_true(av_store_is_new(store));
		assert_int_equal(append(store, "first"), 1);
		av_store_close(&store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_map_is_told_changes_nothing_and_recovers),
		cmocka_unit_test(the_oldest_reader_is_shown),
		cmocka_unit_test_teardown(a_full_disk_is_told_changes_nothing_and_recovers, end_test),
		cmocka_unit_test_teardown(a_failed_meta_page_ends_the_work, end_test),
		cmocka_unit_test(what_was_committed_survives_a_kill_and_nothing_else_does),
		cmocka_unit_test(a_kill_during_the_making_leaves_no_ruin),
		cmocka_unit_test(an_unfinished_making_starts_over),
	};
	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
