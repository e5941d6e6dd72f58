/* store_open.c - what may be opened, what is refused and how, and that what is refused is not touched */
#include "store_support.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* A store with some events and records, closed. */
static struct av_store_options made(void **state, const char *name, int events)
{
	struct av_store_options options = test_options(in_folder(state, name));
	struct av_store *store = must_open(&options);
	struct av_txn *txn = must_write(store);
	uint64_t sequence;
	for (int i = 0; i < events; i++) {
		char event[200];
		memset(event, 'a' + i % 26, sizeof event);
		snprintf(event, sizeof event, "event number %d", i + 1);
		av_journal_append(txn, av_bytes(event, sizeof event), &sequence);
		av_put(txn, TABLE_FACTS, av_bytes(event, 24), av_bytes(event, sizeof event));
	}
	must_commit(&txn);
	av_store_close(&store);
	return options;
}

static void a_new_store_is_made_once(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "new"));
	struct stat st;
	struct av_store *store = must_open(&options);
	assert_true(av_store_is_new(store));
	assert_false(av_store_stepped(store));
	assert_string_equal(av_store_table(store, AV_TABLE_JOURNAL)->name, "journal");
	assert_string_equal(av_store_table(store, TABLE_FACTS)->name, "facts");
	assert_null(av_store_table(store, TABLE_GROWING + 1));
	av_store_close(&store);
	assert_int_equal(stat(options.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(in_folder(state, "new/data.mdb"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store = must_open(&options);
	assert_false(av_store_is_new(store));
	av_store_close(&store);
}

static void a_second_opener_is_refused(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "locked"));
	struct av_store *store = must_open(&options);
	assert_non_null(strstr(must_refuse(&options, AV_LOCKED), "in use")); /* in this process */
	options.read_only = true;
	must_refuse(&options, AV_LOCKED);
	options.read_only = false;
	av_store_close(&store);
	store = must_open(&options); /* free again */
	av_store_close(&store);
}

static void the_lock_goes_with_the_process(void **state)
{
	struct av_store_options options = made(state, "killed", 1);
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct av_store *store = must_open(&options);
		AV_UNUSED(store);
		(void)!write(ready[1], "r", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_non_null(strstr(must_refuse(&options, AV_LOCKED), "another daemon"));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	struct av_store *store = must_open(&options);
	av_store_close(&store);
}

static void a_store_of_another_daemon_or_instance_is_refused(void **state)
{
	struct av_store_options options = made(state, "whose", 1);
	options.daemon = "workflow";
	assert_non_null(strstr(must_refuse(&options, AV_CONFLICT), "another daemon"));
	options.daemon = "intake";
	options.instance = "skolnamnden";
	assert_non_null(strstr(must_refuse(&options, AV_CONFLICT), "another instance"));
	options.instance = "socialnamnden";
	struct av_store *store = must_open(&options);
	av_store_close(&store);
}

static void a_newer_format_is_refused(void **state)
{
	struct av_store_options options = made(state, "newer", 1);
	struct av_store *store = must_open(&options);
	struct av_txn *txn = must_write(store);
	av_put(txn, AV_TABLE_META, av_bytes_of("format"), av_bytes("\0\0\0\2", 4));
	must_commit(&txn);
	av_store_close(&store);
	size_t size, size_after;
	unsigned char *before = read_whole(in_folder(state, "newer/data.mdb"), &size);
	assert_non_null(strstr(must_refuse(&options, AV_NEWER), "format 2"));
	unsigned char *after = read_whole(in_folder(state, "newer/data.mdb"), &size_after);
	assert_int_equal(size_after, size);
	assert_memory_equal(after, before, size);
	free(before);
	free(after);
}

static void a_store_of_the_stepped_clock_is_marked_for_ever(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "stepped"));
	options.stepped_clock = true;
	struct av_store *store = must_open(&options);
	assert_true(av_store_stepped(store));
	av_store_close(&store);
	options.stepped_clock = false;
	store = must_open(&options);
	assert_true(av_store_stepped(store));
	av_store_close(&store);
	options.production = true;
	assert_non_null(strstr(must_refuse(&options, AV_FORBIDDEN), "stepped clock"));
}

static void a_stepped_clock_is_kept_from_real_events(void **state)
{
	struct av_store_options empty = made(state, "real-empty", 0), full = made(state, "real-full", 1);
	empty.stepped_clock = full.stepped_clock = true;
	must_refuse(&full, AV_FORBIDDEN);
	full.stepped_clock = false;
	full.production = true;
	struct av_store *store = must_open(&full); /* not marked by the attempt */
	av_store_close(&store);
	store = must_open(&empty);
	assert_true(av_store_stepped(store));
	av_store_close(&store);
	empty.stepped_clock = false;
	empty.production = true;
	must_refuse(&empty, AV_FORBIDDEN);
}

static void refused_untouched(struct av_store_options *options, const char *what)
{
	uint64_t before = tree_print(options->path);
	const char *why = must_refuse(options, AV_DAMAGED);
	if (!strstr(why, "avvik restore") || !strstr(why, options->path))
		fail_msg("%s: \"%s\" names no remedy", what, why);
	if (tree_print(options->path) != before)
		fail_msg("%s: refused, but touched", what);
}

static void a_store_that_was_cut_off_is_refused_untouched(void **state)
{
	struct av_store_options options = made(state, "cut", 2000);
	const char *file = in_folder(state, "cut/data.mdb");
	size_t size;
	char what[64];
	unsigned char *data = read_whole(file, &size);
	assert_true(size > 100 * PAGE);
	const size_t sizes[] = {
		0, 1, 100, PAGE, PAGE + 100, 2 * PAGE - 1, 2 * PAGE, 3 * PAGE, size / 2, size - PAGE};
	for (size_t i = 0; i < AV_COUNT(sizes); i++) {
		write_whole(file, data, sizes[i]);
		snprintf(what, sizeof what, "cut to %zu of %zu", sizes[i], size);
		refused_untouched(&options, what);
	}
	assert_int_equal(unlink(file), 0);
	refused_untouched(&options, "without data.mdb");
	write_whole(file, data, size);
	struct av_store *store = must_open(&options);
	av_store_close(&store);
	free(data);
}

static void a_file_of_garbage_is_refused_untouched(void **state)
{
	struct av_store_options options = made(state, "garbage", 200);
	const char *file = in_folder(state, "garbage/data.mdb");
	size_t size;
	char what[64];
	unsigned char *data = read_whole(file, &size), *copy = malloc(size);
	struct av_random random = av_random_seeded(11);
	for (int round = 0; round < 4; round++) {
		memcpy(copy, data, size);
		if (round == 0)
			av_random_fill(&random, copy, size);
		if (round == 1)
			memset(copy, 0, size);
		if (round == 2)
			memset(copy, 0, PAGE);
		if (round == 3)
			memset(copy + PAGE, 0xff, PAGE);
		write_whole(file, copy, size);
		snprintf(what, sizeof what, "garbage of kind %d", round);
		refused_untouched(&options, what);
	}
	free(copy);
	free(data);
}

/* Page by page: to read it must not be the end of this process, and the check or the walk must notice. */
static void a_damaged_page_is_found_when_reading(void **state)
{
	struct av_store_options options = made(state, "page", 400);
	const char *file = in_folder(state, "page/data.mdb");
	struct av_random random = av_random_seeded(12);
	size_t size, found = 0, pages;
	unsigned char *data = read_whole(file, &size), *copy = malloc(size);
	options.read_only = true;
	pages = size / PAGE;
	for (size_t page = 2; page < pages; page++) {
		memcpy(copy, data, size);
		av_random_fill(&random, copy + page * PAGE, PAGE);
		write_whole(file, copy, size);
		struct av_store *store = NULL;
		const char *why;
		int status = av_store_open(&options, &random, &store, &why);
		if (status == AV_OK)
			av_store_close(&store);
		else
			assert_status(status, AV_DAMAGED);
		found += status != AV_OK;
	}
	assert_true(found >= pages * 3 / 4); /* the rest are free pages */
	write_whole(file, data, size);
	struct av_store *store = must_open(&options);
	av_store_close(&store);
	free(data);
	free(copy);
}

static void a_changed_event_on_disk_is_found_by_the_check(void **state)
{
	struct av_store_options options = made(state, "flipped", 500);
	const char *file = in_folder(state, "flipped/data.mdb");
	static const char needle[] = "event number 321";
	size_t size;
	uint64_t sequence = 0;
	int changed = 0;
	unsigned char *data = read_whole(file, &size);
	for (size_t i = 0; i + 200 < size; i++)
		if (memcmp(data + i, needle, sizeof needle) == 0) {
			data[i + 100] ^= 0x01;
			changed++;
		}
	assert_true(changed > 0);
	write_whole(file, data, size);
	struct av_store *store = must_open(&options);
	struct av_txn *txn = must_read(store);
	assert_status(av_journal_check(txn, &sequence), AV_DAMAGED);
	assert_int_equal(sequence, 321);
	av_txn_abort(&txn);
	av_store_close(&store);
	free(data);
}

/* LMDB ends the process at a branch with one way to go. */
static void a_branch_without_a_choice_is_found_when_reading(void **state)
{
	enum { FLAGS_AT = 10, LOWER_AT = 12, BRANCH = 1, ONE_NODE = 18 };
	struct av_store_options options = made(state, "branch", 2000);
	const char *file = in_folder(state, "branch/data.mdb");
	size_t size, branches = 0, refused = 0;
	unsigned char *data = read_whole(file, &size), *copy = malloc(size);
	struct av_random random = av_random_seeded(13);
	options.read_only = true;
	for (size_t page = 2; page < size / PAGE; page++) {
		if (data[page * PAGE + FLAGS_AT] != BRANCH)
			continue;
		memcpy(copy, data, size);
		copy[page * PAGE + LOWER_AT] = ONE_NODE;
		copy[page * PAGE + LOWER_AT + 1] = 0;
		write_whole(file, copy, size);
		struct av_store *store = NULL;
		const char *why;
		int status = av_store_open(&options, &random, &store, &why);
		if (status == AV_OK) {
			uint64_t sequence;
			struct av_txn *txn;
			assert_status(av_txn_begin_read(store, &txn), AV_OK);
			assert_status(av_journal_check(txn, &sequence), AV_OK); /* freed */
			av_txn_abort(&txn);
			av_store_close(&store);
		}
		branches++;
		refused += status == AV_DAMAGED;
	}
	assert_true(branches > 0 && refused > 0);
	free(copy);
	free(data);
}

/* Freed pages at the end of the file may never have been written. */
static bool is_short(const char *file)
{
	size_t size;
	uint64_t last[2], transaction[2]; /* of the two meta pages: see image.c */
	unsigned char *data = read_whole(file, &size);
	for (int i = 0; i < 2; i++) {
		memcpy(&last[i], data + i * PAGE + 136, 8);
		memcpy(&transaction[i], data + i * PAGE + 144, 8);
	}
	free(data);
	return last[transaction[1] > transaction[0]] >= size / PAGE;
}

static void a_file_that_is_short_by_freed_pages_is_sound(void **state)
{
	struct av_store_options options = made(state, "short", 50);
	static char large[400000];
	size_t shorts = 0;
	struct av_store *store = must_open(&options);
	for (int i = 0; i < 20; i++) {
		struct av_txn *txn = must_write(store);
		av_put(txn, TABLE_PLAIN, av_bytes("large", 5),
			av_bytes(large, sizeof large / (size_t)(1 + i % 3)));
		av_delete(txn, TABLE_PLAIN, av_bytes("large", 5));
		av_put(txn, TABLE_PLAIN, av_bytes("small", 5), av_bytes(&i, sizeof i));
		must_commit(&txn);
		av_store_close(&store);
		shorts += is_short(in_folder(state, "short/data.mdb"));
		store = must_open(&options);
	}
	assert_true(shorts > 0); /* or this proves nothing */
	av_store_close(&store);
}

static void a_copy_is_a_store_of_its_own(void **state)
{
	struct av_store_options options = made(state, "original", 300),
				copied = test_options(in_folder(state, "copy"));
	struct av_store *store = must_open(&options);
	struct av_txn *txn;
	uint64_t sequence;
	assert_status(av_store_copy(store, copied.path), AV_OK);
	assert_status(av_store_copy(store, copied.path), AV_EXISTS);
	assert_status(av_store_copy(store, in_folder(state, "none/copy")), AV_IO);
	copied.read_only = true;
	struct av_store *copy = must_open(&copied);
	const char *table;
	char key[129];
	assert_status(av_store_compare(store, copy, &table, key), AV_OK);
	txn = must_read(copy);
	assert_int_equal(av_table_count(txn, AV_TABLE_JOURNAL), 300);
	assert_status(av_journal_check(txn, &sequence), AV_OK);
	av_txn_abort(&txn);
	assert_status(av_txn_begin_write(copy, &txn), AV_FORBIDDEN);
	av_store_close(&copy);
	assert_int_equal(
		access(in_folder(state, "copy/lock.mdb"), F_OK), -1); /* reading leaves nothing behind */
	assert_int_equal(access(in_folder(state, "copy/lock"), F_OK), -1);
	copied.read_only = false;
	copy = must_open(&copied);
	assert_false(av_store_is_new(copy));
	assert_int_equal(append(copy, "next"), 301);
	av_store_close(&copy);
	av_store_close(&store);
}

static void comparing_names_the_first_difference(void **state)
{
	struct av_store_options options = made(state, "left", 10),
				copied = test_options(in_folder(state, "right"));
	struct av_store *left = must_open(&options);
	const char *table = NULL;
	char key[129];
	assert_status(av_store_copy(left, copied.path), AV_OK);
	struct av_store *right = must_open(&copied);
	append(right, "the journal is no projection");
	assert_status(av_store_compare(left, right, &table, key), AV_OK);
	/* clang-format off */
	static const struct { bool in_left; unsigned int table; const char *key, *value, *want_key; } cases[] = {
		{true,  TABLE_FACTS,      "event number 9", "more",  "6576656e74206e756d6265722039"},
		{false, TABLE_FACTS,      "event",          "more",  "6576656e74"},
		{false, AV_TABLE_GRANTS,  "z",              "1",     "6576656e74"},
		{true,  AV_TABLE_BY_CASE, "\x01\x02",       "",      "0102"},
	}; /* clang-format on */
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		struct av_txn *txn = must_write(cases[i].in_left ? left : right);
		av_put(txn, cases[i].table, av_bytes_of(cases[i].key), av_bytes_of(cases[i].value));
		must_commit(&txn);
		if (i == 2)
			continue; /* by_case, grants, facts: the table comes first */
		assert_status(av_store_compare(left, right, &table, key), AV_CONFLICT);
		assert_string_equal(key, cases[i].want_key);
		assert_string_equal(table, av_store_table(left, cases[i].table)->name);
		assert_status(av_store_compare(right, left, &table, key), AV_CONFLICT);
		assert_string_equal(key, cases[i].want_key);
	}
	av_store_close(&left);
	av_store_close(&right);
}

static void reading_what_is_not_there_makes_nothing(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "nowhere"));
	options.read_only = true;
	must_refuse(&options, AV_NOT_FOUND);
	assert_int_equal(access(options.path, F_OK), -1);
	assert_int_equal(mkdir(options.path, 0700), 0);
	must_refuse(&options, AV_NOT_FOUND);
	assert_int_equal(rmdir(options.path), 0);
}

static void a_table_added_later_is_empty_for_readers(void **state)
{
	static const struct av_table_decl more[] = {
		{"plain", 0}, {"facts", AV_PROJECTION}, {"growing", AV_APPENDED}, {"later", 0}};
	struct av_store_options options = made(state, "later", 1);
	struct av_bytes value, key;
	options.tables = more;
	options.table_count = AV_COUNT(more);
	options.read_only = true;
	struct av_store *store = must_open(&options);
	struct av_txn *txn = must_read(store);
	struct av_iter it = av_iter(txn, TABLE_GROWING + 1, av_bytes("", 0), av_bytes("", 0));
	assert_false(av_iter_next(&it));
	av_iter_end(&it);
	assert_status(av_get(txn, TABLE_GROWING + 1, av_bytes("k", 1), &value), AV_NOT_FOUND);
	assert_status(av_last(txn, TABLE_GROWING + 1, av_bytes("", 0), &key, &value), AV_NOT_FOUND);
	assert_int_equal(av_table_count(txn, TABLE_GROWING + 1), 0);
	assert_status(av_txn_error(txn), AV_OK);
	av_txn_abort(&txn);
	av_store_close(&store);
	options.read_only = false;
	store = must_open(&options);
	txn = must_write(store);
	av_put(txn, TABLE_GROWING + 1, av_bytes("k", 1), av_bytes("v", 1));
	must_commit(&txn);
	av_store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_store_is_made_once),
		cmocka_unit_test(a_second_opener_is_refused),
		cmocka_unit_test(the_lock_goes_with_the_process),
		cmocka_unit_test(a_store_of_another_daemon_or_instance_is_refused),
		cmocka_unit_test(a_newer_format_is_refused),
		cmocka_unit_test(a_store_of_the_stepped_clock_is_marked_for_ever),
		cmocka_unit_test(a_stepped_clock_is_kept_from_real_events),
		cmocka_unit_test(a_store_that_was_cut_off_is_refused_untouched),
		cmocka_unit_test(a_file_of_garbage_is_refused_untouched),
		cmocka_unit_test(a_damaged_page_is_found_when_reading),
		cmocka_unit_test(a_branch_without_a_choice_is_found_when_reading),
		cmocka_unit_test(a_changed_event_on_disk_is_found_by_the_check),
		cmocka_unit_test(a_file_that_is_short_by_freed_pages_is_sound),
		cmocka_unit_test(a_copy_is_a_store_of_its_own),
		cmocka_unit_test(comparing_names_the_first_difference),
		cmocka_unit_test(reading_what_is_not_there_makes_nothing),
		cmocka_unit_test(a_table_added_later_is_empty_for_readers),
	};
	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
