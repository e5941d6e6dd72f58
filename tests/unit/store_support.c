/* store_support.c - folders, files and stores for the tests of seal and store */
#include "store_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal/crypto.h"

const char *test_folder(void **state)
{
	return *state;
}

int test_folder_make(void **state)
{
	const char *base = getenv("TMPDIR");
	char path[1024];
	snprintf(path, sizeof path, "%s/avvik-test-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(path))
		return -1;
	*state = strdup(path);
	return av_crypto_start();
}

/* Paths live until the folder goes. */
static struct path {
	struct path *next;
	char text[];
} * paths;

const char *in_folder(void **state, const char *name)
{
	size_t size = strlen(test_folder(state)) + 1 + strlen(name) + 1;
	struct path *path = malloc(sizeof *path + size);
	assert_non_null(path);
	snprintf(path->text, size, "%s/%s", test_folder(state), name);
	path->next = paths;
	paths = path;
	return path->text;
}

int test_folder_remove(void **state)
{
	remove_tree(*state);
	free(*state);
	while (paths) {
		struct path *path = paths;
		paths = path->next;
		free(path);
	}
	return 0;
}

void remove_tree(const char *path)
{
	DIR *folder = opendir(path);
	if (folder) {
		for (const struct dirent *entry; (entry = readdir(folder));) {
			char below[4096];
			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
				continue;
			snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
			remove_tree(below);
		}
		closedir(folder);
	}
	remove(path);
}

struct av_store_options test_options(const char *path)
{
	static const struct av_table_decl tables[] = {
		{"plain", 0}, {"facts", AV_PROJECTION}, {"growing", AV_APPENDED}};
	return (struct av_store_options){
		.path = path,
		.map_bytes = 64 << 20,
		.tables = tables,
		.table_count = AV_COUNT(tables),
		.daemon = "intake",
		.instance = "socialnamnden",
		.now_ms = 1700000000000,
	};
}

struct av_store *must_open(const struct av_store_options *options)
{
	struct av_random random = av_random_system();
	struct av_store *store = NULL;
	const char *why = "";
	int status = av_store_open(options, &random, &store, &why);
	if (status != AV_OK)
		fail_msg("%s: %s", av_status_name(status), why);
	return store;
}

const char *must_refuse(const struct av_store_options *options, int want)
{
	struct av_random random = av_random_system();
	struct av_store *store = NULL;
	const char *why = NULL;
	int got = av_store_open(options, &random, &store, &why);
	if (got == AV_OK)
		av_store_close(&store);
	if (got != want)
		fail_msg("got %s (%s), want %s", av_status_name(got), why ? why : "", av_status_name(want));
	assert_null(store);
	assert_non_null(why);
	return why;
}

struct av_txn *must_write(struct av_store *store)
{
	struct av_txn *txn = NULL;
	assert_status(av_txn_begin_write(store, &txn), AV_OK);
	return txn;
}

struct av_txn *must_read(struct av_store *store)
{
	struct av_txn *txn = NULL;
	assert_status(av_txn_begin_read(store, &txn), AV_OK);
	return txn;
}

void must_commit(struct av_txn **txn)
{
	assert_status(av_txn_commit(txn), AV_OK);
	assert_null(*txn);
}

uint64_t append(struct av_store *store, const char *event)
{
	struct av_txn *txn = must_write(store);
	uint64_t sequence = 0;
	av_journal_append(txn, av_bytes_of(event), &sequence);
	must_commit(&txn);
	return sequence;
}

unsigned char *read_whole(const char *file, size_t *ret_size)
{
	FILE *from = fopen(file, "rb");
	if (!from)
		return NULL;
	fseek(from, 0, SEEK_END);
	size_t size = (size_t)ftell(from);
	rewind(from);
	unsigned char *data = malloc(size + 1);
	if (fread(data, 1, size, from) != size)
		size = 0;
	fclose(from);
	*ret_size = size;
	return data;
}

void write_whole(const char *file, const void *data, size_t size)
{
	FILE *to = fopen(file, "wb");
	assert_non_null(to);
	assert_int_equal(fwrite(data, 1, size, to), size);
	assert_int_equal(fclose(to), 0);
}

void copy_tree(const char *from, const char *to)
{
	DIR *folder = opendir(from);
	if (!folder) {
		size_t size = 0;
		unsigned char *data = read_whole(from, &size);
		assert_non_null(data);
		write_whole(to, data, size);
		free(data);
		return;
	}
	assert_int_equal(mkdir(to, 0700), 0);
	for (const struct dirent *entry; (entry = readdir(folder));) {
		char a[4096], b[4096];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(a, sizeof a, "%s/%s", from, entry->d_name);
		snprintf(b, sizeof b, "%s/%s", to, entry->d_name);
		copy_tree(a, b);
	}
	closedir(folder);
}

uint64_t tree_print(const char *path)
{
	unsigned char hash[AV_HASH_SIZE];
	uint64_t print = 0;
	DIR *folder = opendir(path);
	if (!folder) {
		size_t size = 0;
		unsigned char *data = read_whole(path, &size);
		struct av_bytes pieces[] = {av_bytes_of(path), av_bytes(data, size)};
		av_hash_pieces(pieces, 2, hash);
		free(data);
		return av_get_u64(hash);
	}
	for (const struct dirent *entry; (entry = readdir(folder));) {
		char below[4096];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		print += tree_print(below); /* in whatever order the names come */
	}
	closedir(folder);
	return print;
}
